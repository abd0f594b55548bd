package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func optimizers() {
	sgd()
	momentum("momentum", "w[i] += v[i]", false)
	momentum("nesterov", "w[i] += float32(m*v[i]) - step", true)
	adam()
	rmsprop()
}

func sgd() {
	routine("sgd", "(w, grad []float32, rate float32)", "follows the gradient:",
		"for i, d := range grad { w[i] -= float32(rate * d) }")
	w, d, rate := slice("w"), slice("grad"), splat("rate")
	each(size("grad"), func(l width, i reg.GPVirtual) {
		step := l.do(VMULPS, l.load(at(d, i)), rate)
		l.store(l.do(VSUBPS, l.load(at(w, i)), step), at(w, i))
	})
	end()
}

func momentum(name, update string, nesterov bool) {
	routine(name, "(w, grad, v []float32, rate, m float32)", "follows a decaying sum of gradients:",
		"for i, d := range grad {",
		"\tstep := float32(rate * d)",
		"\tv[i] = settled(float32(m*v[i]) - step)",
		"\t"+update,
		"}")
	w, d, v, rate, m := slice("w"), slice("grad"), slice("v"), splat("rate"), splat("m")
	settle := settles()
	each(size("grad"), func(l width, i reg.GPVirtual) {
		step := l.do(VMULPS, l.load(at(d, i)), rate)
		u := l.do(VMULPS, l.load(at(v, i)), m)
		settle(l, l.do(VSUBPS, u, step))
		l.store(u, at(v, i))
		if nesterov {
			l.do(VMULPS, u, m)
			l.do(VSUBPS, u, step)
		}
		l.store(l.do(VADDPS, l.load(at(w, i)), u), at(w, i))
	})
	end()
}

func adam() {
	routine("adam", "(w, grad, m, v []float32, rest1, rest2, rate, epsilon float32)", "follows the gradient in units of its size, both averaged:",
		"for i, d := range grad {",
		"\tm[i] = settled(m[i] + float32(rest1*(d-m[i])))",
		"\tv[i] = settled(v[i] + float32(rest2*(float32(d*d)-v[i])))",
		"\tw[i] -= float32(rate*m[i]) / (sqrt(v[i]) + epsilon)",
		"}")
	w, d, m, v := slice("w"), slice("grad"), slice("m"), slice("v")
	rest1, rest2, rate, epsilon := splat("rest1"), splat("rest2"), splat("rate"), splat("epsilon")
	settle := settles()
	each(size("grad"), func(l width, i reg.GPVirtual) {
		g := l.load(at(d, i))
		mean, power := l.load(at(m, i)), l.load(at(v, i))
		t := l.vector()
		VSUBPS(mean, g, t)
		settle(l, l.do(VADDPS, mean, l.do(VMULPS, t, rest1)))
		l.store(mean, at(m, i))
		l.do(VMULPS, g, g)
		l.do(VSUBPS, g, power)
		settle(l, l.do(VADDPS, power, l.do(VMULPS, g, rest2)))
		l.store(power, at(v, i))
		VSQRTPS(power, power)
		l.do(VADDPS, power, epsilon)
		l.do(VMULPS, mean, rate)
		l.do(VDIVPS, mean, power)
		l.store(l.do(VSUBPS, l.load(at(w, i)), mean), at(w, i))
	})
	end()
}

func rmsprop() {
	routine("rmsprop", "(w, grad, v []float32, rho, rest, rate, epsilon float32)", "follows the gradient in units of its averaged size:",
		"for i, d := range grad {",
		"\tv[i] = settled(float32(rho*v[i]) + float32(rest*float32(d*d)))",
		"\tw[i] -= float32(rate*d) / sqrt(v[i] + epsilon)",
		"}")
	w, d, v := slice("w"), slice("grad"), slice("v")
	rho, rest, rate, epsilon := splat("rho"), splat("rest"), splat("rate"), splat("epsilon")
	settle := settles()
	each(size("grad"), func(l width, i reg.GPVirtual) {
		g := l.load(at(d, i))
		s := l.vector()
		VMULPS(g, g, s)
		l.do(VMULPS, s, rest)
		power := l.do(VADDPS, l.do(VMULPS, l.load(at(v, i)), rho), s)
		settle(l, power)
		l.store(power, at(v, i))
		l.do(VADDPS, power, epsilon)
		VSQRTPS(power, power)
		l.do(VDIVPS, l.do(VMULPS, g, rate), power)
		l.store(l.do(VSUBPS, l.load(at(w, i)), g), at(w, i))
	})
	end()
}

// settles returns what computes v = settled(v).
func settles() func(l width, v reg.VecVirtual) {
	least, magnitude := number32(0x1p-100), constant(0x7fffffff)
	return func(l width, v reg.VecVirtual) {
		t := l.vector()
		l.and(l.of(magnitude), v, t)
		VCMPPS(operand.U8(notLess), l.of(least), l.of(t), l.of(t))
		l.and(l.of(t), v, v)
	}
}
