// Package operators is the table of the operators that graphs and files share: the
// number types that runtimes take, versions, options, and the inputs that an
// operator has in a file but not in a graph.
//
// The function you want is [ByName].
//
//	row := operators.ByName(n.Op.Name())
//	version, err := row.VersionOf(n)
//
// To add an operator, write a row in a file of its own and name it in [All].
//
// It reads and writes single operators, not networks.
package operators
