package f32

// Weights are transformed as planes [OutC, InC], one for each tap or point.

// turn writes weights [OutC, taps, InC] as planes, one for each tap, from the last one to the first.
func (w *winograd) turn(planes, weights []float32) {
	w.eachRow(func(weight, plane int) { copy(planes[plane:][:w.g.InC], weights[weight:]) })
}

// turnBack is the inverse of turn.
func (w *winograd) turnBack(weights, planes []float32) {
	w.eachRow(func(weight, plane int) { copy(weights[weight:][:w.g.InC], planes[plane:]) })
}

// eachRow calls f with where the input channels of one tap and output channel are.
func (w *winograd) eachRow(f func(weight, plane int)) {
	g := &w.g
	for o := range g.OutC {
		for t := range g.Taps() {
			f((o*g.Taps()+t)*g.InC, ((g.Taps()-1-t)*g.OutC+o)*g.InC)
		}
	}
}

// expand computes G w G' of 3x3 planes of n elements, down the columns and then along the rows.
func expand(n int, to, from, between []float32) {
	for x := range 3 {
		expand3(n, between[x*n:], from[x*n:], 3)
	}
	for y := range 4 {
		expand3(n, to[4*y*n:], between[3*y*n:], 1)
	}
}

// expand3 makes of three planes of n elements each four: g0, ((g0+g2)+g1)/2, ((g0+g2)-g1)/2, g2. Planes are step planes
// apart.
func expand3(n int, to, from []float32, step int) {
	plane := func(of []float32, i int) []float32 { return of[i*step*n:][:n] }
	one, two := plane(to, 1), plane(to, 2)
	level.add(one, plane(from, 0), plane(from, 2))
	level.sub(two, one, plane(from, 1))
	level.add(one, one, plane(from, 1))
	level.scale(one, 0.5, one)
	level.scale(two, 0.5, two)
	copy(plane(to, 0), plane(from, 0))
	copy(plane(to, 3), plane(from, 2))
}

// reduce computes G' t G of 4x4 planes, down the columns and then along the rows.
func reduce(n int, to, from, between []float32) {
	for x := range 4 {
		reduce4(n, between[x*n:], from[x*n:], 4)
	}
	for y := range 3 {
		reduce4(n, to[3*y*n:], between[4*y*n:], 1)
	}
}

// reduce4 makes of four planes three: t0 + (t1+t2)/2, (t1-t2)/2, t3 + (t1+t2)/2. It destroys the second one.
func reduce4(n int, to, from []float32, step int) {
	plane := func(of []float32, i int) []float32 { return of[i*step*n:][:n] }
	sum, half := plane(from, 1), plane(to, 1)
	level.sub(half, sum, plane(from, 2))
	level.scale(half, 0.5, half)
	level.add(sum, sum, plane(from, 2))
	level.scale(sum, 0.5, sum)
	level.add(plane(to, 0), plane(from, 0), sum)
	level.add(plane(to, 2), plane(from, 3), sum)
}
