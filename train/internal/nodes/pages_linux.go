package nodes

import (
	"syscall"
	"unsafe"
)

// largePages asks the system to hold long slices in pages of some megabytes: the
// activations of a step have more small ones than a core remembers the places
// of, and a core does not read ahead across their ends. It is advice only, for
// whole large pages, so that neighbours on the heap may share it.
func largePages(data []float32) {
	const page, least = 2 << 20, 1 << 20 // bytes
	size := uintptr(len(data)) * unsafe.Sizeof(float32(0))
	if size < least {
		return
	}
	first := uintptr(unsafe.Pointer(&data[0]))
	begin, end := first&^(page-1), (first+size+page-1)&^(page-1)
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, begin, end-begin, syscall.MADV_HUGEPAGE) // without it, all is slower and the same
}
