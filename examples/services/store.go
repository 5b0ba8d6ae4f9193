package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// store serves "visit", which notes a visit and returns how many there have been.
// It is there when the database is.
func store() actor.Entry {
	var member *discovery.Member
	return actor.Entry{
		Setup: func(ctx context.Context, a *actor.Actor) ([]string, error) {
			if err := prepare(ctx); err != nil {
				return nil, err
			}
			var s portal.Server
			portal.Handle(&s, "visit", func(ctx context.Context, who string) (int, error) { return visit(ctx, who) })
			var err error
			if member, err = discovery.Join(ctx, a, discovery.Config{Portal: portal.Config{Serve: &s}}); err != nil {
				return nil, err
			}
			return member.Addresses(), nil
		},
		Run: func(ctx context.Context, _ *actor.Actor) error {
			<-ctx.Done()
			member.Close()
			return context.Cause(ctx)
		},
	}
}

// prepare makes the table, as soon as the database answers: that it has started
// is all that hatchery knows.
func prepare(ctx context.Context) error {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		_, err := query(ctx, "CREATE TABLE IF NOT EXISTS visits (who text)")
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

func visit(ctx context.Context, who string) (int, error) {
	quoted := strings.ReplaceAll(who, "'", "''")
	answer, err := query(ctx, fmt.Sprintf("INSERT INTO visits VALUES ('%s'); SELECT count(*) FROM visits", quoted))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(answer)
}

// query has psql ask the database, which listens in its own folder, and returns the
// answer.
func query(ctx context.Context, sql string) (string, error) {
	dir, err := filepath.Abs("data")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "psql", "-h", dir, "-U", "visits", "-d", "postgres", "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", sql)
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, bytes.TrimSpace(problem.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}
