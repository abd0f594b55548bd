package data

import (
	"fmt"
	"math"
)

// SplitGroups is [Split] that keeps groups together: groups[i] names what row i came from, a speaker, a patient or
// a recording. Every group lies on one side whole, so the second part shows how a network does on groups that it
// never met. First has as many of the shuffled groups as bring its rows closest to fraction.
//
// Errors: a number of group names that is not that of the rows; a fraction outside (0, 1), or fewer than two
// groups.
func SplitGroups(ds Dataset, groups []int, fraction float64, seed uint64) (first, second Dataset, err error) {
	if len(groups) != ds.Len() {
		return nil, nil, fmt.Errorf("data: split: %d names of groups for %d rows", len(groups), ds.Len())
	}
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("data: split fraction %v is not between 0 and 1", fraction)
	}
	place := map[int]int{} // of a group in the order of first rows
	var rows [][]int
	for i, g := range groups {
		if _, known := place[g]; !known {
			place[g] = len(rows)
			rows = append(rows, nil)
		}
		rows[place[g]] = append(rows[place[g]], i)
	}
	if len(rows) < 2 {
		return nil, nil, fmt.Errorf("data: split: %d groups, want at least 2", len(rows))
	}
	order := permutation(len(rows), seed, streamGroups, 0)
	want := fraction * float64(len(groups))
	count, total, nearest := 1, 0, math.Inf(1)
	for i, g := range order[:len(order)-1] {
		total += len(rows[g])
		if d := math.Abs(float64(total) - want); d < nearest {
			count, nearest = i+1, d
		}
	}
	var a, b []int
	for i, g := range order {
		if i < count {
			a = append(a, rows[g]...)
		} else {
			b = append(b, rows[g]...)
		}
	}
	return &subset{ds, a}, &subset{ds, b}, nil
}
