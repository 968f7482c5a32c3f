package config

import (
	"fmt"
	"reflect"
	"strings"

	"halley"
)

// Effective is one setting as it is in force, for the comparison of one start with the next.
type Effective struct {
	// Key is as in the file, such as "devices.accept".
	Key string
	// Value is its value as a text; that of a secret too.
	Value string
	// Secret says that Value must not be kept or shown.
	Secret bool
}

// Settings gives every setting as it is in force, in the order of the file's tables.
func (c *Config) Settings() []Effective {
	var list []Effective
	whole := reflect.ValueOf(c).Elem()
	for i, field := range fields(whole.Type()) {
		key, value := field.Tag.Get("toml"), whole.Field(i)
		if field.Type.Kind() != reflect.Struct {
			list = append(list, effective(key, value))
			continue
		}
		for j, inner := range fields(field.Type) {
			list = append(list, effective(key+"."+inner.Tag.Get("toml"), value.Field(j)))
		}
	}
	return list
}

func fields(t reflect.Type) []reflect.StructField {
	list := make([]reflect.StructField, 0, t.NumField())
	for f := range t.Fields() {
		list = append(list, f)
	}
	return list
}

func effective(key string, v reflect.Value) Effective {
	e := Effective{Key: key}
	switch value := v.Interface().(type) {
	case halley.Secret:
		e.Secret, e.Value = true, value.Reveal()
	case []halley.Secret:
		e.Secret = true
		for _, s := range value {
			e.Value += s.Reveal() + "\n"
		}
	case []string:
		e.Value = strings.Join(value, ", ")
	default:
		e.Value = fmt.Sprint(value)
	}
	return e
}
