package viewerapi

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"gopkg.in/yaml.v3"
)

// openAPIYAML is the description of the API, written by hand.
//
//go:embed openapi.yaml
var openAPIYAML []byte

// description is the description of the API in both forms.
type description struct{ yaml, json []byte }

// bothForms converts the description, once for the whole program: it never changes.
var bothForms = sync.OnceValues(newDescription)

// newDescription converts the description.
func newDescription() (description, error) {
	var tree map[string]any
	if err := yaml.Unmarshal(openAPIYAML, &tree); err != nil {
		return description{}, fmt.Errorf("read openapi.yaml: %w", err)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return description{}, fmt.Errorf("convert openapi.yaml: %w", err)
	}
	return description{yaml: openAPIYAML, json: text}, nil
}

// getOpenAPIJSON gives this description as JSON.
func (a *API) getOpenAPIJSON(w http.ResponseWriter, _ *http.Request) error {
	return writeBody(w, "application/json", a.doc.json)
}

// getOpenAPIYAML gives this description as YAML.
func (a *API) getOpenAPIYAML(w http.ResponseWriter, _ *http.Request) error {
	return writeBody(w, "application/yaml", a.doc.yaml)
}
