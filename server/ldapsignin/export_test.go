package ldapsignin

// GoOverToTLS has every connection without TLS go over to it, as on other machines than this one.
func GoOverToTLS(d *Directory) {
	for i := range d.servers {
		d.servers[i].startTLS = !d.servers[i].tls
	}
}

// NeedsTLS says of each server whether a password could go to it in the clear.
func NeedsTLS(d *Directory) []bool {
	var all []bool
	for _, s := range d.servers {
		all = append(all, s.tls || s.startTLS)
	}
	return all
}
