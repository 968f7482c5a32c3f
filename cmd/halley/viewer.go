package main

import (
	"context"
	"log/slog"
	"os"

	"halley/config"
	"halley/server"
	"halley/server/access"
	"halley/viewer"
	viewerapi "halley/viewer-api"
)

// listenViewer opens the address for people and programs and puts the API with the built viewer behind it.
func listenViewer(ctx context.Context, srv *server.Server, c config.Config, log *slog.Logger) error {
	files, built := viewer.Files()
	if !built {
		log.Warn("this program was built without the viewer; make build makes one with it")
	}
	p := parts{srv}
	known := watching{Store: srv.Store(), server: srv, attached: &attachedPlaces{}}
	api, err := viewerapi.New(viewerapi.Options{
		Registry:     known,
		Places:       known,
		Series:       srv.Store(),
		Status:       p,
		Journal:      srv,
		Uploads:      p,
		Live:         liveParts{srv},
		Completeness: newCompletenessParts(srv),
		Audit:        auditParts{srv},
		Evidence:     evidenceParts{srv},
		Proof:        proofParts{srv.Store(), srv, c},
		Access: access.New(access.Options{
			Tokens:   access.NewKnownTokens(srv.Store(), srv.Devices()),
			Sessions: access.NewSessions(srv.Sessions()),
			First:    newFirstSignIn(c, srv.Data()),
			Audit:    srv,
		}),
		Viewer: files,
		Hosts:  viewerHosts(c.Viewer),
		Log:    log.With("part", "viewer"),
	})
	if err != nil {
		return err
	}
	// Live streams do not end by themselves and would hold up the stop.
	context.AfterFunc(ctx, api.EndStreams)
	return srv.ListenViewer(ctx, api)
}

// viewerHosts gives the names by which people reach the viewer: those of the configuration and the machine's own.
func viewerHosts(v config.Viewer) []string {
	hosts := append([]string(nil), v.Hosts...)
	if name, err := os.Hostname(); err == nil && name != "" {
		hosts = append(hosts, name)
	}
	return hosts
}
