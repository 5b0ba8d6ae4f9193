// Package runfolder knows the runtime folders of hosts: where they are, who a
// folder belongs to, and whether that one is still there.
//
// A runtime folder is named PID-STARTTIME and lies in one of [Bases], which is
// the user's own and closed to others. In it are
//
//   - host.json, the [Identity]: what tells the host, and its keepers, from
//     every other process that will ever have their pids;
//   - control, the socket on which the host answers hatchery dump;
//   - children-PID, a keeper's table of what it has started (package keeper);
//   - a folder for the control socket of each plugin.
//
// A pid alone proves nothing. A process is who the identity means when pid and
// start time fit, and the boot and the namespaces that give them their meaning
// are this process's own: see [Identity.Alive].
package runfolder
