// Package oci reads profiles of system calls as container runtimes have them:
// the JSON of the OCI runtime specification, with what Docker's and Podman's add
// to it.
//
//	{
//		"defaultAction": "SCMP_ACT_ALLOW",
//		"syscalls": [
//			{"names": ["mount", "umount2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
//			{"names": ["ioctl"], "action": "SCMP_ACT_KILL_PROCESS",
//			 "args": [{"index": 1, "value": 4294967295, "valueTwo": 21522, "op": "SCMP_CMP_MASKED_EQ"}]}
//		]
//	}
//
// [Read] makes a filter for package seccomp of it. It is strict where the
// runtimes are not, because a profile that says less than its author thinks is
// worse than none:
//
//   - a field that it does not know is an error, and so is a second condition on
//     the same argument, which runtimes take as "or";
//   - a rule that an earlier one without conditions leaves nothing to decide is an
//     error if it would refuse more;
//   - a name that no architecture has is an error in a rule that refuses, as the
//     call would be let through. In one that allows, the call is treated by
//     default, and a note says so.
//
// Errors name the file, the line and the rule. The first rule that fits decides. An int argument has 32 bits, and what a
// program put above them is ignored by the kernel, not by SCMP_CMP_EQ: use
// SCMP_CMP_MASKED_EQ with 4294967295 as in the example.
//
// What a sandbox has no use for is taken, and a note says what becomes of it:
// killing a thread kills its process, and the other conventions of a machine
// (archMap, SCMP_ARCH_X86) stay shut. SCMP_ACT_TRACE and SCMP_ACT_NOTIFY need
// somebody outside who answers, and are errors.
package oci
