package q8

// dispatch is one implementation of the routines below the kernels. Its vectors
// are made of 32-bit lanes, each the sum of a group of products; a plane holds
// the codes that are multiplied, four bytes to a group.
type dispatch struct {
	name  string
	lanes int   // in a vector; 0: there are no routines, operators run in plain Go
	group int   // codes in four bytes of a plane
	raise int32 // what a plane adds to codes: an instruction takes unsigned ones
	masks bool  // of depthwise: see panel

	dense      *dispatch                              // for fully-connected operators, if not this one
	words      *dispatch                              // for Winograd convolution and for package q16: codes of 16 bits
	panels     []panel                                // the narrowest first
	depthwise  func(a *byte)                          // *depthwiseArgs
	depthwise3 func(a *byte)                          // the same, for kernels of 3 by 3 and whole vectors
	step       int                                    // what the following two take a multiple of
	widen      func(dst, src *byte, n int)            // codes to elements of a plane
	interleave func(dst, r0, r1, r2, r3 *byte, n int) // codes of rows to groups

	lines       []panel // of Winograd's convolution; none: there are no routines
	winogradIn  func(dst *byte, line int, src *byte, row, pixel int, tiles *int32, count, groups int)
	winogradOut func(a *byte) // *winogradArgs

	sum, sumOfHalf, difference, product, linear func(dst, a, b *byte, n int, constants *int32)
	real                                        func(dst *byte, acc *int32, factors *float64, n int, constants *byte)
	singleProduct                               func(dst, a, b *byte, n int, constants *int32) // of XNNPACK
	quantize, encode, encodeEven                func(dst *byte, src *float32, n int, constants *byte)
	extent                                      func(src *float32, n int) (lo, hi float32)
	hybridFirst, hybridLast                     func(a *byte) // *hybridArgs
	spread                                      func(sums, weights, x *float32, n int, factors *float32, scale float32, vectors int)
	wordsUp, wordsAway                          func(a *byte) // *wordsArgs
	dequantize                                  func(dst *float32, src *byte, n int, constants *byte)
	max, average                                reduction                                      // of codes of this level: see words
	total                                       func(dst *int32, src *byte, count, stride int) // 8 channels
}

// A panel is the routines that multiply with some vectors of output channels.
type panel struct {
	vectors, lanes int
	masks          bool          // routines store what there is a mask for; otherwise whole vectors
	tiles          []tile        // the tallest first, the last one of height 1
	row            func(a *byte) // for one pixel and several of these panels, if there is one
}

// width is the number of channels.
func (p *panel) width() int { return p.vectors * p.lanes }

// A tile computes that many pixels at a time.
type tile struct {
	height int
	run    func(a *byte) // *tileArgs
}

// A reduction reduces what is under count taps at pixels of a row, for some
// channels.
type reduction func(dst, src *byte, taps *int32, count, step, stride, pixels int, limits *int32)

// levels are the implementations that this machine can run, the fastest first;
// level is the one that new operators use.
var (
	levels = detected()
	level  = levels[0]
)

var portable = &dispatch{name: "portable"}

// Level names the implementation in use: "VNNI" (AVX-512), "AVX2" or "portable".
func Level() string { return level.name }

// element is the number of bytes of a code in a plane.
func (d *dispatch) element() int { return 4 / d.group }
