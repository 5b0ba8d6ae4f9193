package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/discovery/endpoints"
	"github.com/spf13/cobra"
)

func (a *app) endpointsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "endpoints FILE [--json]",
		Short: "show a table of actors and their addresses",
		Long: `
Read the endpoint table in FILE and show the addresses of each actor, in the order
of the file, with the one that this machine prefers: a Unix socket, or else a TCP
address of this machine, or else another; of several such, the last.

An endpoint table is TOML. Each key of [network] is the name of an actor, each
value the list of its addresses: multiaddrs, or pairs of an IP address (or
localhost) and a port. Other tables of the file are not looked at:

  [network]
  registrar = ["/unix/run/user/1000/hatchery/registrar.sock"]
  logger    = ["/ip4/10.0.0.7/tcp/1616", ["127.0.0.1", 1616]]

With --json: {"actors": {NAME: {"addrs": [ADDRESS], "preferred": ADDRESS}}}, in
the order of the file; preferred is null for an actor without addresses.

Exit code: 0, or 125 when the file cannot be read or a line of it is wrong.`,
		Example: `
  hatchery endpoints network.toml
  hatchery endpoints network.toml --json`,
		Args: oneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			table, err := endpoints.ReadFile(args[0])
			if err != nil {
				return err
			}
			shown := endpointsOf(table)
			if asJSON {
				return a.writeJSON(shown)
			}
			_, err = a.stdout.WriteString(shown.text())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(cmd, "%s takes one file, not %d", cmd.Name(), len(args))
	}
	return nil
}

// shownEndpoints is endpoints --json.
type shownEndpoints struct {
	Actors shownActors `json:"actors"`
}

// shownActors is an object, whose keys are in this order.
type shownActors []shownActor

type shownActor struct {
	name string

	Addrs     []string `json:"addrs"`
	Preferred *string  `json:"preferred"`
}

func endpointsOf(t *endpoints.Table) shownEndpoints {
	shown := shownEndpoints{Actors: shownActors{}}
	for _, actor := range t.Actors {
		s := shownActor{name: actor.Name, Addrs: address.Strings(actor.Addrs)}
		if best, err := (address.Selector{}).Preferred(actor.Addrs); err == nil {
			text := best.String()
			s.Preferred = &text
		}
		shown.Actors = append(shown.Actors, s)
	}
	return shown
}

// MarshalJSON writes the actors in their order, which a map would lose.
func (all shownActors) MarshalJSON() ([]byte, error) {
	b := bytes.NewBufferString("{")
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	for i, actor := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := e.Encode(actor.name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := e.Encode(actor); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// text returns the table for people.
func (s shownEndpoints) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ACTOR\tPREFERRED\tOTHERS")
	for _, actor := range s.Actors {
		preferred, others := "none", []string{}
		for _, a := range actor.Addrs {
			if actor.Preferred != nil && a == *actor.Preferred {
				preferred = plain(a)
			} else {
				others = append(others, plain(a))
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", plain(actor.name), preferred, strings.Join(others, " "))
	}
	w.Flush()
	return trimLines(b.String())
}

// trimLines removes the blanks that a tabwriter leaves at the end of lines.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}
