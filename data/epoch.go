package data

// Epoched is what a [Dataset] implements if training should see other values in each epoch, as [Augment] makes
// them. Read itself gives the rows as they are: what validates, evaluates or calibrates never meets a variation.
type Epoched interface {
	// Epoch is the set as an epoch sees it, counted from 0. It has the same rows and shapes and depends on
	// nothing but the set and the number, so a resumed run needs no record of it.
	Epoch(epoch int) Dataset
	// Variation describes all that makes epochs differ, a seed for example. It is part of the fingerprint of
	// the set. It is empty if they do not differ.
	Variation() string
}

// Epoch is the set as an epoch of training sees it, counted from 0: that of an [Epoched] set, and any other set
// itself.
func Epoch(ds Dataset, epoch int) Dataset {
	if e, ok := ds.(Epoched); ok {
		return e.Epoch(epoch)
	}
	return ds
}

// variation is what [Epoched.Variation] says, or empty.
func variation(ds Dataset) string {
	if e, ok := ds.(Epoched); ok {
		return e.Variation()
	}
	return ""
}
