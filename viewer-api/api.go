// Package viewerapi is the API that viewers and programs use, as openapi.yaml describes it, and the door to the viewer's own
// files. Each resource has a file. It keeps no data and knows no SQL: it asks the parts that parts.go names.
package viewerapi

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gorilla/mux"

	"halley"
)

// Options are the parts of an API. All parts must be given but OIDC, Viewer and Hosts.
type Options struct {
	Registry     Registry
	Directory    Directory
	Tree         Tree
	Series       Series
	Status       StatusSource
	Journal      Flusher
	Uploads      Uploads
	Live         Live
	Completeness Completeness
	Audit        Audit
	Evidence     Evidence
	Proof        Proof
	Access       Access
	Factors      Factors
	People       People
	// ConfirmCritical has people give their password anew before critical changes.
	ConfirmCritical bool
	// Issuers are those of OpenID Connect that the page of the sign-in offers.
	Issuers []SignInIssuer
	// OIDC has people sign in with them; nil for none.
	OIDC OIDC
	// Viewer holds the built viewer with index.html at its root; nil for a program without one.
	Viewer fs.FS
	// Hosts are the names, without port, by which the viewer is reached, besides the names of the loopback and the IP address
	// that a connection came in on.
	Hosts []string
	Log   *slog.Logger
}

// complete says which part is missing.
func (o *Options) complete() error {
	parts := []struct {
		name  string
		given bool
	}{
		{"Registry", o.Registry != nil},
		{"Directory", o.Directory != nil},
		{"Tree", o.Tree != nil},
		{"Series", o.Series != nil},
		{"Status", o.Status != nil},
		{"Journal", o.Journal != nil},
		{"Uploads", o.Uploads != nil},
		{"Live", o.Live != nil},
		{"Completeness", o.Completeness != nil},
		{"Audit", o.Audit != nil},
		{"Evidence", o.Evidence != nil},
		{"Proof", o.Proof != nil},
		{"Access", o.Access != nil},
		{"Factors", o.Factors != nil},
		{"Log", o.Log != nil},
	}
	for _, p := range parts {
		if !p.given {
			return fmt.Errorf("the API has no %s", p.name)
		}
	}
	return o.People.complete()
}

// API answers viewers and programs. It is an http.Handler; its streams last until EndStreams.
type API struct {
	Options
	router  *mux.Router
	handler http.Handler
	public  map[string]bool
	// publicParts are method and parts of public paths that hold a name.
	publicParts [][]string
	files       *viewerFiles
	doc         description
	streams     streams
	callers     callerChanges
	views       views
	tree        treeCopy
	// evidence holds a place for each file of evidence that is being made.
	evidence chan struct{}
	ended    chan struct{}
	end      sync.Once
}

// New gives an API of its parts.
func New(o Options) (*API, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	doc, err := bothForms()
	if err != nil {
		return nil, err
	}
	files, err := newViewerFiles(o.Viewer)
	if err != nil {
		return nil, err
	}
	a := &API{Options: o, doc: doc, files: files, ended: make(chan struct{}), evidence: make(chan struct{}, evidenceAtOnce)}
	a.streams.byCaller = make(map[string]int)
	if err = a.route(); err != nil {
		return nil, err
	}
	return a, nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// EndStreams ends the live streams, which would keep a server from shutting down: give it to http.Server.RegisterOnShutdown.
// Streams that begin later end at once.
func (a *API) EndStreams() { a.end.Do(func() { close(a.ended) }) }

// handlerFunc answers a request or says why it cannot. After it has begun an answer it returns an error only where the answer
// cannot be finished; the connection is cut then.
type handlerFunc func(w http.ResponseWriter, r *http.Request) error

// operation is one operation of openapi.yaml.
type operation struct {
	// ID is its operationId.
	ID           string
	Method, Path string
	Permission   halley.Permission
	// Scope says where the permission is looked for; description and program hold the same, as x-scope.
	Scope scope
	serve handlerFunc
	// stream says that the answer is not compressed: it has no end, or is compressed already.
	stream bool
}

// operations is the table of all operations, in the order of openapi.yaml.
func (a *API) operations() []operation {
	return slices.Concat(a.programOperations(), a.deviceOperations(), a.measuredOperations(),
		a.accountOperations(), a.factorOperations(), a.treeOperations(), a.peopleOperations())
}

// programOperations are those of the program itself and of sessions.
func (a *API) programOperations() []operation {
	const v1 = "/api/v1"
	get, post := http.MethodGet, http.MethodPost
	return []operation{
		{ID: "getHealth", Method: get, Path: "/healthz", Permission: halley.PermitPublic, Scope: scopeNone, serve: a.getHealth},
		{
			ID: "getOpenAPIJSON", Method: get, Path: v1 + "/openapi.json",
			Permission: halley.PermitPublic, Scope: scopeNone, serve: a.getOpenAPIJSON,
		},
		{
			ID: "getOpenAPIYAML", Method: get, Path: v1 + "/openapi.yaml",
			Permission: halley.PermitPublic, Scope: scopeNone, serve: a.getOpenAPIYAML,
		},
		{ID: "signIn", Method: post, Path: v1 + "/session", Permission: halley.PermitPublic, Scope: scopeNone, serve: a.signIn},
		{
			ID: "signOut", Method: http.MethodDelete, Path: v1 + "/session",
			Permission: halley.PermitSelf, Scope: scopeNone, serve: a.signOut,
		},
		{ID: "getMe", Method: get, Path: v1 + "/me", Permission: halley.PermitSelf, Scope: scopeNone, serve: a.getMe},
		{
			ID: "getStatus", Method: get, Path: v1 + "/status",
			Permission: halley.PermitStatusRead, Scope: scopeAnywhere, serve: a.getStatus,
		},
		{
			ID: "flushJournal", Method: post, Path: v1 + "/journal/flush",
			Permission: halley.PermitJournalFlush, Scope: scopeServer, serve: a.flushJournal,
		},
	}
}

// deviceOperations are those of devices, and of what should have come of them.
func (a *API) deviceOperations() []operation {
	const v1 = "/api/v1"
	get, post := http.MethodGet, http.MethodPost
	return []operation{
		{
			ID: "listDevices", Method: get, Path: v1 + "/devices",
			Permission: halley.PermitDeviceRead, Scope: scopeHandler, serve: a.listDevices,
		},
		{
			ID: "getDevice", Method: get, Path: v1 + "/devices/{id}",
			Permission: halley.PermitDeviceRead, Scope: scopeDevice, serve: a.getDevice,
		},
		{
			ID: "changeDevice", Method: http.MethodPatch, Path: v1 + "/devices/{id}",
			Permission: halley.PermitDeviceChange, Scope: scopeDevice, serve: a.changeDevice,
		},
		{
			ID: "acceptDevice", Method: post, Path: v1 + "/devices/{id}/accept",
			Permission: halley.PermitDeviceDecide, Scope: scopeDevice, serve: a.acceptDevice,
		},
		{
			ID: "releaseDevice", Method: post, Path: v1 + "/devices/{id}/release",
			Permission: halley.PermitDeviceDecide, Scope: scopeDevice, serve: a.releaseDevice,
		},
		{
			ID: "rejectDevice", Method: post, Path: v1 + "/devices/{id}/reject",
			Permission: halley.PermitDeviceDecide, Scope: scopeDevice, serve: a.decide(halley.DeviceRejected),
		},
		{
			ID: "suspendDevice", Method: post, Path: v1 + "/devices/{id}/suspend",
			Permission: halley.PermitDeviceDecide, Scope: scopeDevice, serve: a.decide(halley.DeviceSuspended),
		},
		{
			ID: "retireDevice", Method: post, Path: v1 + "/devices/{id}/retire",
			Permission: halley.PermitDeviceDecide, Scope: scopeDevice, serve: a.decide(halley.DeviceRetired),
		},
		{
			ID: "getLastUpload", Method: get, Path: v1 + "/devices/{id}/last-upload",
			Permission: halley.PermitUploadRead, Scope: scopeDevice, serve: a.getLastUpload,
		},
		{
			ID: "listQuarantined", Method: get, Path: v1 + "/devices/{id}/quarantine",
			Permission: halley.PermitUploadRead, Scope: scopeDevice, serve: a.listQuarantined,
		},
		{
			ID: "getCompleteness", Method: get, Path: v1 + "/devices/{id}/completeness",
			Permission: halley.PermitSampleRead, Scope: scopeDevice, serve: a.getCompleteness,
		},
		{
			ID: "listGapCauses", Method: get, Path: v1 + "/devices/{id}/gap-causes",
			Permission: halley.PermitSampleRead, Scope: scopeDevice, serve: a.listGapCauses,
		},
		{
			ID: "addGapCause", Method: post, Path: v1 + "/devices/{id}/gap-causes",
			Permission: halley.PermitGapExplain, Scope: scopeDevice, serve: a.addGapCause,
		},
		{
			ID: "listCompleteness", Method: get, Path: v1 + "/completeness",
			Permission: halley.PermitSampleRead, Scope: scopeHandler, serve: a.listCompleteness,
		},
		{
			ID: "getPlaceCompleteness", Method: get, Path: v1 + "/places/{id}/completeness",
			Permission: halley.PermitSampleRead, Scope: scopePlace, serve: a.getPlaceCompleteness,
		},
	}
}

// measuredOperations are those of places, channels, what was measured, and what was proven of it.
func (a *API) measuredOperations() []operation {
	const v1 = "/api/v1"
	get, post := http.MethodGet, http.MethodPost
	return []operation{
		{
			ID: "listPlaces", Method: get, Path: v1 + "/places",
			Permission: halley.PermitPlaceRead, Scope: scopeHandler, serve: a.listPlaces,
		},
		{
			ID: "getPlace", Method: get, Path: v1 + "/places/{id}",
			Permission: halley.PermitPlaceRead, Scope: scopePlace, serve: a.getPlace,
		},
		{
			ID: "getEvidence", Method: get, Path: v1 + "/places/{id}/evidence",
			Permission: halley.PermitEvidenceRead, Scope: scopePlace, serve: a.getEvidence, stream: true,
		},
		{
			ID: "listAudit", Method: get, Path: v1 + "/audit",
			Permission: halley.PermitAuditRead, Scope: scopeHandler, serve: a.listAudit,
		},
		{
			ID: "listChannels", Method: get, Path: v1 + "/channels",
			Permission: halley.PermitDeviceRead, Scope: scopeHandler, serve: a.listChannels,
		},
		{
			ID: "getChannel", Method: get, Path: v1 + "/channels/{id}",
			Permission: halley.PermitDeviceRead, Scope: scopeChannel, serve: a.getChannel,
		},
		{
			ID: "getSamples", Method: get, Path: v1 + "/channels/{id}/samples",
			Permission: halley.PermitSampleRead, Scope: scopeChannel, serve: a.getSamples,
		},
		{
			ID: "getLatest", Method: get, Path: v1 + "/latest",
			Permission: halley.PermitSampleRead, Scope: scopeHandler, serve: a.getLatest,
		},
		{
			ID: "getLive", Method: get, Path: v1 + "/live",
			Permission: halley.PermitSampleRead, Scope: scopeHandler, serve: a.getLive, stream: true,
		},
		{
			ID: "getProof", Method: get, Path: v1 + "/proof",
			Permission: halley.PermitProofRead, Scope: scopeServer, serve: a.getProof,
		},
		{
			ID: "listResults", Method: get, Path: v1 + "/proof/results",
			Permission: halley.PermitProofRead, Scope: scopeServer, serve: a.listResults,
		},
		{
			ID: "verifyStore", Method: post, Path: v1 + "/proof/verifications",
			Permission: halley.PermitProofRun, Scope: scopeServer, serve: a.verifyStore,
		},
		{
			ID: "listUnrecognized", Method: get, Path: v1 + "/unrecognized",
			Permission: halley.PermitDiagnosisRead, Scope: scopeServer, serve: a.listUnrecognized,
		},
	}
}

// route builds the router and what stands around it. The order from outside in: log, panics, headers, host, cross-origin,
// then the viewer's files or the API; there the caller, the router, the permission, the handler.
func (a *API) route() error {
	compress, err := newCompressor()
	if err != nil {
		return err
	}
	a.router = mux.NewRouter()
	a.public = make(map[string]bool)
	for _, op := range a.operations() {
		if op.Permission == halley.PermitPublic {
			a.public[op.Method+" "+op.Path] = true
			if strings.Contains(op.Path, "{") {
				a.publicParts = append(a.publicParts, append([]string{op.Method}, strings.Split(op.Path, "/")...))
			}
		}
		op.serve = a.telling(&op)
		handler := a.permitted(op)
		if !op.stream {
			handler = compress(handler)
		}
		a.router.Handle(op.Path, handler).Methods(op.Method).Name(op.ID)
	}
	a.router.NotFoundHandler = a.answer(func(http.ResponseWriter, *http.Request) error {
		return &halley.Error{Kind: halley.NotFound, Op: "find an operation", Message: "there is no such path: see /api/v1/openapi.json"}
	})
	a.router.MethodNotAllowedHandler = a.answer(func(http.ResponseWriter, *http.Request) error { return errMethodNotAllowed })
	inside := a.divide(a.authenticated(a.router), compress(a.answer(a.files.serve)))
	a.handler = a.logged(a.recovered(secured(a.hostChecked(a.sameOrigin(inside)))))
	return nil
}

// errMethodNotAllowed is the one outcome that no halley.Kind stands for.
var errMethodNotAllowed = errors.New("this path does not take that method: see /api/v1/openapi.json")
