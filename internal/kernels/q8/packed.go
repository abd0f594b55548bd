package q8

// packed is an [outputs, depth] weight matrix for plain Go, in float64: processors
// have more units for these than for products of 64-bit integers, and all numbers
// are whole ones of at most 53 bits. Two weights of one input, those of consecutive
// outputs, share a number, so that one multiplication by an activation is two
// multiply-adds:
//
//	x * (w0 + w1*2^27) = x*w0 + (x*w1)*2^27
//
// Each part holds a sum in [-2^26, 2^26). Where the weights allow more, for some
// activations, both are added to the accumulators.
type packed struct {
	outputs, depth int
	ends           []int          // of the inputs whose products are summed up together
	sixes          [][][6]float64 // numbers of [depth], those of twelve outputs
	fours          [][4]float64   // those of the last outputs, if these are eight at most
}

const partBits = 27 // of a number

// packWeights packs weights for codes of so many bits.
func packWeights(weights []int8, outputs, depth, bits int) packed {
	p := packed{outputs: outputs, depth: depth}
	numbers := (outputs + 1) / 2
	p.sixes = make([][][6]float64, (numbers+1)/6)
	for i := range p.sixes {
		p.sixes[i] = make([][6]float64, depth)
	}
	if 6*len(p.sixes) < numbers {
		p.fours = make([][4]float64, depth)
	}
	most := int32(1)<<(partBits-bits) - 1 // the sum of magnitudes that a part can hold
	sums := make([]int32, outputs)
	for k := range depth {
		for o := range outputs {
			w := weights[o*depth+k]
			if sums[o] += max(int32(w), -int32(w)); sums[o] > most {
				p.ends = append(p.ends, k)
				clear(sums)
				break
			}
		}
		if n := len(p.ends); n > 0 && p.ends[n-1] == k {
			for o := range outputs {
				w := weights[o*depth+k]
				sums[o] = max(int32(w), -int32(w))
			}
		}
	}
	p.ends = append(p.ends, depth)
	for o := range outputs {
		at, unit := o/2, float64(int64(1)<<(o%2*partBits))
		for k, w := range weights[o*depth : (o+1)*depth] {
			if at/6 < len(p.sixes) {
				p.sixes[at/6][k][at%6] += float64(w) * unit
			} else {
				p.fours[k][at%6] += float64(w) * unit
			}
		}
	}
	return p
}

// multiplyPacked sets acc[r][o] to the sum over k of rows[r][k] * weight[o][k].
func multiplyPacked[X int8 | int16, S int32 | int64](p *packed, acc []S, rows []X, n int) {
	w := workers.Get().(*worker)
	const block = 4 // rows that stay in the L1 cache
	w.numbers = grown(w.numbers, min(n, block)*p.depth)
	for ; n > 0; n -= block {
		many := min(n, block)
		numbers := w.numbers[:many*p.depth]
		for i, q := range rows[:len(numbers)] {
			numbers[i] = float64(q)
		}
		multiplyNumbers(p, acc[:many*p.outputs], numbers)
		acc, rows = acc[many*p.outputs:], rows[many*p.depth:]
	}
	w.free()
}

// multiplyNumbers multiplies a few rows.
func multiplyNumbers[S int32 | int64](p *packed, acc []S, rows []float64) {
	var sums [6]float64
	clear(acc)
	lo := 0
	for _, hi := range p.ends {
		for i := range len(p.sixes) + 1 {
			for r := 0; r*p.depth < len(rows) && 12*i < p.outputs; r++ {
				x, to := rows[r*p.depth:][lo:hi], acc[r*p.outputs+12*i:(r+1)*p.outputs]
				if i < len(p.sixes) {
					dots6(&sums, x, p.sixes[i][lo:hi])
				} else {
					dots4(&sums, x, p.fours[lo:hi])
				}
				spill(to, &sums)
			}
		}
		lo = hi
	}
}

// spill adds both parts of sums to accumulators.
func spill[S int32 | int64](acc []S, sums *[6]float64) {
	if len(acc) < 12 {
		for i := range acc {
			low, high := parts(sums[i/2])
			acc[i] += S(low + int64(i%2)*(high-low))
		}
		return
	}
	to := (*[12]S)(acc)
	for i, s := range sums {
		low, high := parts(s)
		to[2*i] += S(low)
		to[2*i+1] += S(high)
	}
}

// parts returns both parts of a number. Taking the lower one off leaves the other
// without the borrow of a negative one.
func parts(number float64) (low, high int64) {
	const unused = 64 - partBits
	both := int64(number)
	low = both << unused >> unused
	return low, (both - low) >> partBits
}

// dots6 sets sums to the products of x with six columns. It is a function of its own,
// not inlined, so that sums stay in registers.
//
//go:noinline
func dots6(sums *[6]float64, x []float64, w [][6]float64) {
	var a, b, c, d, e, f float64
	w = w[:len(x)]
	for k, q := range x {
		v := &w[k]
		a += q * v[0]
		b += q * v[1]
		c += q * v[2]
		d += q * v[3]
		e += q * v[4]
		f += q * v[5]
	}
	*sums = [6]float64{a, b, c, d, e, f}
}

// dots4 is dots6 with four columns.
//
//go:noinline
func dots4(sums *[6]float64, x []float64, w [][4]float64) {
	var a, b, c, d float64
	w = w[:len(x)]
	for k, q := range x {
		v := &w[k]
		a += q * v[0]
		b += q * v[1]
		c += q * v[2]
		d += q * v[3]
	}
	*sums = [6]float64{a, b, c, d}
}
