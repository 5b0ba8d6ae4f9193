// Package landlock makes the steps that put a child under Landlock,
// landlock(7): a restriction of files by their place and of TCP by port, which
// needs no privilege and holds for the child and all that comes from it.
//
//	p := landlock.Policy{
//		Files: landlock.AllFiles,
//		Paths: []landlock.Path{
//			{Path: "/usr", Access: landlock.Read | landlock.Execute},
//			{Path: "/tmp", Access: landlock.Read | landlock.Write | landlock.Make},
//		},
//		TCP: landlock.Bind | landlock.Connect,
//		Ports: []landlock.Port{{Port: 443, Access: landlock.Connect}},
//	}
//	p, missing := p.On(abi)
//	…
//	plan.Steps = append(plan.Steps, spawn.NoNewPrivs())
//	plan.Steps = append(plan.Steps, p.Steps(len(plan.Steps))...)
//
// What the kernel can restrict has grown with its ABI number. [Policy.On] makes
// of a policy what a kernel can do of it, and says in words what is missing:
// whoever goes on then goes on with less, and knows it. Nothing here asks the
// kernel for its number.
//
// # What it is not
//
// Restricted are opening, executing, listing, making and removing. Not
// restricted are chdir, stat, chmod, chown, changes of times and of extended
// attributes, nor anything about a descriptor that is open already. Of the
// network TCP is restricted, and UDP is not.
//
// A path stands for what is there when the step is taken: another file that is
// put in its place later is not allowed. A child under a policy on files can
// mount nothing: steps that do come before.
package landlock
