//go:build !amd64 || purego

package f32

func detected() []*dispatch { return []*dispatch{portable} }
