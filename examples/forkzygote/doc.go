// Package forkzygote shows a program in C that is served by the method forkserver:
// program/zygote.c gets ready once, and its children are made by fork.
//
//	cc -o zygote program/zygote.c
//	hatchery run --spawn-backend=forkserver --opt kind=fork -- ./zygote 7
//
// The same program is started as any other without it.
package forkzygote
