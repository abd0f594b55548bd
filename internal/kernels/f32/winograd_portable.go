package f32

// eachTile calls f for every tile and channel with the index of the first of its values among the points, and of its
// first pixel.
func (t *tiling) eachTile(f func(point, pixel int)) {
	for tile := range t.count {
		for c := range t.channels {
			f(tile*t.channels+c, 2*tile*t.channels+c)
		}
	}
}

func winogradWindowPortable(v, x []float32, t tiling) {
	t.eachTile(func(point, pixel int) {
		var d [4][4]float32
		for i := range d {
			for j := range d[i] {
				d[i][j] = x[i*t.line+j*t.channels+pixel]
			}
		}
		for j := range 4 {
			d[0][j], d[1][j], d[2][j], d[3][j] = d[0][j]-d[2][j], d[1][j]+d[2][j], d[2][j]-d[1][j], d[3][j]-d[1][j]
		}
		for i, r := range d {
			for j, value := range [4]float32{r[0] - r[2], r[1] + r[2], r[2] - r[1], r[3] - r[1]} {
				v[(4*i+j)*t.apart+point] = value
			}
		}
	})
}

func winogradSpreadPortable(v, x []float32, t tiling) {
	t.eachTile(func(point, pixel int) {
		a, b := x[pixel], x[pixel+t.channels]
		c, d := x[t.line+pixel], x[t.line+pixel+t.channels]
		for i, r := range [4][2]float32{{a, b}, {a + c, b + d}, {a - c, b - d}, {c, d}} {
			for j, value := range [4]float32{r[0], r[0] + r[1], r[0] - r[1], r[1]} {
				v[(4*i+j)*t.apart+point] = value
			}
		}
	})
}

func winogradGatherPortable(y, v []float32, t tiling) {
	t.eachTile(func(point, pixel int) {
		var upper, lower [4]float32
		for j := range 4 {
			t0, t1, t2, t3 := v[j*t.apart+point], v[(4+j)*t.apart+point], v[(8+j)*t.apart+point], v[(12+j)*t.apart+point]
			upper[j], lower[j] = t0+t1+t2, t1-t2+t3
		}
		for i, r := range [2][4]float32{upper, lower} {
			y[i*t.line+pixel], y[i*t.line+t.channels+pixel] = r[0]+r[1]+r[2], r[1]-r[2]+r[3]
		}
	})
}
