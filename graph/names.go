package graph

import "fmt"

// Enumerations go to files by name, so that a file is readable and does not
// depend on the order of constants here.

var paddingNames = [...]string{"valid", "same"}

// MarshalText writes the type by name.
func (t Type) MarshalText() ([]byte, error) { return nameOf(typeNames[:], t, "type") }

// UnmarshalText reads a type by name.
func (t *Type) UnmarshalText(b []byte) error { return parseName(typeNames[:], t, b, "type") }

// MarshalText writes the role by name.
func (r Role) MarshalText() ([]byte, error) { return nameOf(roleNames[:], r, "role") }

// UnmarshalText reads a role by name.
func (r *Role) UnmarshalText(b []byte) error { return parseName(roleNames[:], r, b, "role") }

// MarshalText writes the source by name.
func (s Source) MarshalText() ([]byte, error) { return nameOf(sourceNames[:], s, "source") }

// UnmarshalText reads a source by name.
func (s *Source) UnmarshalText(b []byte) error { return parseName(sourceNames[:], s, b, "source") }

// MarshalText writes the padding by name.
func (p Padding) MarshalText() ([]byte, error) { return nameOf(paddingNames[:], p, "padding") }

// UnmarshalText reads a padding by name.
func (p *Padding) UnmarshalText(b []byte) error { return parseName(paddingNames[:], p, b, "padding") }

// nameOf returns names[v]; an empty name stands for a value that is not one of
// the constants.
func nameOf[T ~uint8](names []string, v T, what string) ([]byte, error) {
	if int(v) >= len(names) || names[v] == "" {
		return nil, fmt.Errorf("graph: unknown %s %d", what, uint8(v))
	}
	return []byte(names[v]), nil
}

// parseName is the inverse of nameOf.
func parseName[T ~uint8](names []string, v *T, text []byte, what string) error {
	for i, name := range names {
		if name != "" && name == string(text) {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("graph: unknown %s %q", what, text)
}
