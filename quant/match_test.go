package quant

import "testing"

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "", false}, {"*", "", true}, {"*", "a/b;c[", true},
		{"conv", "conv", true}, {"conv", "conv2d", false}, {"conv*", "conv2d/relu", true}, {"*relu", "conv2d/relu", true},
		{"*conv_?/*", "model/conv_1/relu;model/conv_2/add", true}, {"*conv_?", "model/conv_12", false},
		{"a*b*c", "aXbYbZc", true}, {"a*b*c", "aXbYc!", false}, {"a**b", "ab", true}, {"?", "", false}, {"[a]", "a", false}, {"[a]", "[a]", true},
	} {
		if got := Match(c.pattern, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %t", c.pattern, c.name, got)
		}
	}
}
