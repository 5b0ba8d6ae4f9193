package linux

// Parents returns the processes that have children, as far as those children are
// not in known. It reads what /proc has of each process that is not known, so it is the
// quicker way to ask whether many have children. ok is false when not all
// processes can be seen (hidepid in proc(5)).
func Parents(known map[int]bool) (parents map[int]bool, ok bool) {
	parents = map[int]bool{}
	for _, name := range entries("/proc") {
		pid, number := number(name)
		if !number {
			continue
		}
		ok = ok || pid == 1
		if known[pid] {
			continue
		}
		if s, err := ReadStat(pid); err == nil {
			parents[s.Parent] = true
		}
	}
	return parents, ok
}
