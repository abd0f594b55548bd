package kerneltest

import (
	"github.com/goqat/goqat/internal/kernels/f32"
	"github.com/goqat/goqat/internal/parallel"
)

// Conv2DGradWinograd defines f32.Conv2DGrad where f32.Conv.Winograd holds: [Conv2DGradInput] and [Conv2DGradWeights] with
// other roundings.
func Conv2DGradWinograd(g f32.Conv, dx, dw, x, dy, w []float32) {
	rows, cols := (g.Input[0]+1)/2, (g.Input[1]+1)/2
	weights := make([][][]float32, g.OutC*g.InC)
	for i := range weights {
		o, c := i/g.InC, i%g.InC
		weights[i] = sandwich(square(3, func(row, col int) float32 { return w[(o*9+8-3*row-col)*g.InC+c] }), winogradG)
	}
	sums := make([][][]float32, g.OutC*g.InC)
	for i := range sums {
		sums[i] = square(4, func(int, int) float32 { return 0 })
	}
	chunks := g.WinogradChunks()
	for chunk := range chunks {
		first, last := parallel.Range(g.Batch, chunks, chunk)
		part := make([][][]float32, len(sums))
		for i := range part {
			part[i] = square(4, func(int, int) float32 { return 0 })
		}
		for tile := first * rows * cols; tile < last*rows*cols; tile++ {
			b, top, left := tile/(rows*cols), tile/cols%rows*2, tile%cols*2
			windows, spread := make([][][]float32, g.OutC), make([][][]float32, g.InC)
			for o := range windows {
				windows[o] = sandwich(square(4, func(row, col int) float32 {
					return pixel(dy, g.Output, g.OutC, b, top+g.Pad[0]-2+row, left+g.Pad[1]-2+col, o)
				}), winogradB)
			}
			for c := range spread {
				spread[c] = sandwich(square(2, func(row, col int) float32 { return pixel(x, g.Input, g.InC, b, top+row, left+col, c) }), winogradA)
			}
			for c := range g.InC {
				products := square(4, func(i, j int) (s float32) {
					for o := range g.OutC {
						s = Add(s, windows[o][i][j], weights[o*g.InC+c][i][j])
						part[o*g.InC+c][i][j] = Add(part[o*g.InC+c][i][j], windows[o][i][j], spread[c][i][j])
					}
					return s
				})
				for row, d := range sandwich(products, winogradATransposed) {
					for col, v := range d {
						if y, x := top+row, left+col; y < g.Input[0] && x < g.Input[1] {
							dx[((b*g.Input[0]+y)*g.Input[1]+x)*g.InC+c] = v
						}
					}
				}
			}
		}
		for i, t := range part {
			for j := range 16 {
				sums[i][j/4][j%4] += t[j/4][j%4]
			}
		}
	}
	for i, t := range sums {
		for j, row := range sandwich(t, winogradGTransposed) {
			for k, v := range row {
				dw[(i/g.InC*9+8-3*j-k)*g.InC+i%g.InC] = v
			}
		}
	}
}

// Conv2DWinograd defines the sums of f32.PooledConv where it transforms: [Conv2D] without bias, with other roundings.
func Conv2DWinograd(g f32.Conv, y, x, w []float32) {
	rows, cols := (g.Output[0]+1)/2, (g.Output[1]+1)/2
	weights := make([][][]float32, g.OutC*g.InC)
	for i := range weights {
		o, c := i/g.InC, i%g.InC
		weights[i] = sandwich(square(3, func(row, col int) float32 { return w[(o*9+3*row+col)*g.InC+c] }), winogradG)
	}
	for tile := range g.Batch * rows * cols {
		b, top, left := tile/(rows*cols), tile/cols%rows*2, tile%cols*2
		windows := make([][][]float32, g.InC)
		for c := range windows {
			windows[c] = sandwich(square(4, func(row, col int) float32 {
				return pixel(x, g.Input, g.InC, b, top-g.Pad[0]+row, left-g.Pad[1]+col, c)
			}), winogradB)
		}
		for o := range g.OutC {
			products := square(4, func(i, j int) (s float32) {
				for c := range g.InC {
					s = Add(s, windows[c][i][j], weights[o*g.InC+c][i][j])
				}
				return s
			})
			for row, d := range sandwich(products, winogradATransposed) {
				for col, v := range d {
					if oy, ox := top+row, left+col; oy < g.Output[0] && ox < g.Output[1] {
						y[((b*g.Output[0]+oy)*g.Output[1]+ox)*g.OutC+o] = v
					}
				}
			}
		}
	}
}

// pixel returns 0 outside the image.
func pixel(of []float32, size [2]int, channels, b, row, col, c int) float32 {
	if row < 0 || row >= size[0] || col < 0 || col >= size[1] {
		return 0
	}
	return of[((b*size[0]+row)*size[1]+col)*channels+c]
}

func square(n int, f func(row, col int) float32) [][]float32 {
	m := make([][]float32, n)
	for i := range m {
		for j := range n {
			m[i] = append(m[i], f(i, j))
		}
	}
	return m
}

// sandwich computes F m F': f of each column, then of each row.
func sandwich(m [][]float32, f func(v []float32) []float32) [][]float32 {
	var columns, rows [][]float32
	for j := range m[0] {
		var v []float32
		for i := range m {
			v = append(v, m[i][j])
		}
		columns = append(columns, f(v))
	}
	for i := range columns[0] {
		var v []float32
		for j := range columns {
			v = append(v, columns[j][i])
		}
		rows = append(rows, f(v))
	}
	return rows
}

func winogradB(d []float32) []float32 {
	return []float32{d[0] - d[2], d[1] + d[2], d[2] - d[1], d[3] - d[1]}
}

func winogradA(d []float32) []float32 { return []float32{d[0], d[0] + d[1], d[0] - d[1], d[1]} }

func winogradATransposed(t []float32) []float32 {
	return []float32{t[0] + t[1] + t[2], t[1] - t[2] + t[3]}
}

func winogradG(g []float32) []float32 {
	return []float32{g[0], 0.5 * (g[0] + g[2] + g[1]), 0.5 * (g[0] + g[2] - g[1]), g[2]}
}

func winogradGTransposed(t []float32) []float32 {
	half := 0.5 * (t[1] + t[2])
	return []float32{t[0] + half, 0.5 * (t[1] - t[2]), t[3] + half}
}
