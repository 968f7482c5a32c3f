package server

import (
	"crypto/tls"
	"path/filepath"

	"halley/server/pki"
)

// keysFolder is where keys lie in the data folder unless the configuration names another place.
const keysFolder = "keys"

// tlsConfig gives the certificate of a listener: the devices' own where one is set, else the viewer's.
func (s *Server) tlsConfig(purpose string) (*tls.Config, error) {
	d := s.opts.Config.Devices
	if purpose == "devices" && d.Certificate != "" {
		return s.identity(pki.Options{Certificate: d.Certificate, Key: d.Key})
	}
	v := s.opts.Config.Viewer
	return s.identity(pki.Options{Certificate: v.Certificate, Key: v.Key, Hosts: v.Hosts})
}

// identity opens a certificate once, however many listeners use it.
func (s *Server) identity(o pki.Options) (*tls.Config, error) {
	if id, ok := s.identities[o.Certificate]; ok {
		return id.TLS(), nil
	}
	o.Folder = s.opts.Config.Keys.Path
	if o.Folder == "" {
		o.Folder = filepath.Join(s.data.Path(), keysFolder)
	}
	o.Log = s.opts.Log.With("part", "certificate")
	id, err := pki.Open(o)
	if err != nil {
		return nil, err
	}
	s.opts.Log.Info("certificate", "fingerprint", id.Fingerprint(), "self_signed", id.SelfSigned(), "ends", id.Ends())
	s.identities[o.Certificate] = id
	return id.TLS(), nil
}
