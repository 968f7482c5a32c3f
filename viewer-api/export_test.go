package viewerapi

import (
	"github.com/gorilla/mux"

	"halley"
	"halley/storage"
)

// Operation is an operation as tests see it.
type Operation struct {
	ID, Method, Path string
	Permission       halley.Permission
	Scope            string
}

// Operations gives the table of operations.
func Operations(a *API) []Operation {
	table := a.operations()
	list := make([]Operation, len(table))
	for i, op := range table {
		list[i] = Operation{op.ID, op.Method, op.Path, op.Permission, string(op.Scope)}
	}
	return list
}

// Routes gives method and path of every route.
func Routes(a *API) ([]string, error) {
	var list []string
	err := a.router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		if err != nil {
			return err
		}
		methods, err := route.GetMethods()
		if err != nil {
			return err
		}
		for _, m := range methods {
			list = append(list, m+" "+path)
		}
		return nil
	})
	return list, err
}

// BucketWidth and Touched are those of width.go.
var (
	BucketWidth = bucketWidth
	Touched     = touched
)

// WantsCSV is that of csv.go.
var WantsCSV = wantsCSV

// AppendNumber is that of columns.go.
var AppendNumber = appendNumber

// RawJSON gives samples as columns.
func RawJSON(all []storage.Sample) []byte {
	var c sampleColumns
	c.add(all)
	return c.json(samplesRequest{channel: 1, from: 1, to: 2}, "")
}
