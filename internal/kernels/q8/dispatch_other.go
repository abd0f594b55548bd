//go:build !amd64 || purego

package q8

func detected() []*dispatch { return []*dispatch{portable} }
