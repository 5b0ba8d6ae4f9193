package spawn

import "time"

// The steps of this file are the keeper's own: it does them before the clone,
// or while the child lives, or when it has ended. They hold whatever becomes of
// host and plugin, and stand in the list like any other, so that a keeper that
// does not know one refuses the plan as a whole.

// Folder makes a folder for this child alone, in the one called parent, before
// the child is made; its result is a descriptor of it. The folder's name is the
// keeper's choice. It is removed when the child has ended and everything has
// left it, as rmdir(2) does: files that are put into it are in the way, but those
// that a file system makes by itself, that of cgroups(7) above all, are not. A
// keeper that is killed leaves a note of where it has made folders, and they are
// removed by its host or by `hatchery reap`.
//
// It is the one step whose result [CloneInto] can refer to.
func Folder(parent string) Step { return step(OpFolder, Str(parent)) }

// Watch looks at a number in a file of a folder that [Folder] made: the one
// behind the word key, or the only one of the file when key is empty. If it has
// reached limit when the child has ended, the child's status has e.
//
// With a rate, which is how much it can grow in a second at most, the keeper
// looks at the number while the child lives, as often as it has to. When it has
// reached limit the child gets SIGXCPU, and a second later it is killed with
// everything below it.
func Watch(e Exceeded, folder Arg, file, key string, limit, rate int64) Step {
	return step(OpWatch, Int(int64(e)), folder, Str(file), Str(key), Int(limit), Int(rate))
}

// Wall kills the child, with everything below it, when it has run for as long as
// limit. Its status has [ExceededWall] then.
func Wall(limit time.Duration) Step { return step(OpWall, Int(int64(limit))) }
