package seccomp

// numbered is more than the numbers of calls go to, and about as many as the
// kernel tries a filter on.
const numbered = 512

// weight is what a span counts for: each of its numbers is tried once when the
// filter is loaded.
func weight(all []span, i int) int {
	end := uint32(numbered)
	if i+1 < len(all) {
		end = min(end, all[i+1].first)
	}
	return int(end) - int(min(end, all[i].first)) + 1
}

// A division says where the best tree over a run of spans has its root: at
// [from][to] the first span of the right half.
type division [][]int

// divide finds the binary tree in which the spans, in their order, are reached
// with the fewest comparisons, counted by their weights: the classic dynamic
// program, in which the root of a run lies between those of the runs that lack
// its last and its first span (Knuth 1971).
func divide(all []span) division {
	n := len(all)
	sum := make([]int, n+1)
	for i := range all {
		sum[i+1] = sum[i] + weight(all, i)
	}
	cost, root := make([][]int, n), make(division, n)
	rows := make([]int, 2*n*n)
	for i := range n {
		cost[i], root[i], rows = rows[:n], rows[n:2*n], rows[2*n:]
		root[i][i] = i
	}
	for length := 1; length < n; length++ {
		for i := 0; i+length < n; i++ {
			j := i + length
			best := -1
			for k := max(i+1, root[i][j-1]); k <= min(j, max(i+1, root[i+1][j])); k++ {
				if c := cost[i][k-1] + cost[k][j]; best < 0 || c < best {
					best, root[i][j] = c, k
				}
			}
			cost[i][j] = best + sum[j+1] - sum[i]
		}
	}
	return root
}
