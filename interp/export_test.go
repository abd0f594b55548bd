package interp

// NewData is for tests of the package from outside.
var NewData = newData
