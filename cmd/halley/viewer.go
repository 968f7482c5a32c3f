package main

import (
	"context"
	"log/slog"
	"os"

	"halley/config"
	"halley/server"
	"halley/viewer"
	viewerapi "halley/viewer-api"
)

// listenViewer opens the address for people and programs and puts the API with the built viewer behind it.
func listenViewer(ctx context.Context, srv *server.Server, c config.Config, log *slog.Logger) error {
	files, built := viewer.Files()
	if !built {
		log.Warn("this program was built without the viewer; make build makes one with it")
	}
	in, err := newSignIns(srv, c, log.With("part", "sign-in"))
	if err != nil {
		return err
	}
	p := parts{srv}
	known := watching{Store: srv.Store(), server: srv}
	options := viewerapi.Options{
		Registry:     known,
		Series:       srv.Store(),
		Status:       p,
		Journal:      srv,
		Uploads:      p,
		Live:         newLiveParts(srv),
		Completeness: newCompletenessParts(srv),
		Audit:        auditParts{srv},
		Evidence:     evidenceParts{srv},
		Proof:        proofParts{srv.Store(), srv, c},
		Access:       in.access,
		Factors:      in.factors,
		Directory:    srv.Devices(),
		Tree:         known,
		People: viewerapi.People{
			Rules: in.rules, Sessions: in.access, Tokens: in.tokens, Records: srv.Store(),
		},
		ConfirmCritical: c.Accounts.ConfirmCritical,
		Viewer:          files,
		Hosts:           viewerHosts(c.Viewer),
		Log:             log.With("part", "viewer"),
	}
	if in.elsewhere != nil {
		options.OIDC = in.elsewhere
		for _, i := range in.elsewhere.Issuers() {
			options.Issuers = append(options.Issuers, viewerapi.SignInIssuer{ID: i.ID, Name: i.Name})
		}
	}
	api, err := viewerapi.New(options)
	if err != nil {
		return err
	}
	// Live streams do not end by themselves and would hold up the stop.
	context.AfterFunc(ctx, api.EndStreams)
	if err := srv.ListenViewer(ctx, api); err != nil {
		return err
	}
	in.reachedAt(viewerURL(withRealPort(c, srv).Viewer))
	return nil
}

// viewerHosts gives the names by which people reach the viewer: those of the configuration and the machine's own.
func viewerHosts(v config.Viewer) []string {
	hosts := append([]string(nil), v.Hosts...)
	if name, err := os.Hostname(); err == nil && name != "" {
		hosts = append(hosts, name)
	}
	return hosts
}
