// Package advice chooses how to quantize a network: by the questions that matter,
// and by measurements where there are some.
//
// The function you want is [Decide]:
//
//	a := advice.Decide(advice.Situation{Problem: advice.Size, Target: advice.CPU})
//	fmt.Println(a.Mode, a.Reason)
package advice
