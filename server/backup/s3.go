package backup

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"halley"
	"halley/server/namedfile"
)

const (
	// leastPart and mostParts are how S3 takes a file of unknown size: in at most 10,000 parts, each of which is held in memory once.
	leastPart = 16 << 20
	mostParts = 9000
	// s3Answer is how long the store may take to begin its answer to a request.
	s3Answer = 2 * time.Minute
	// maxSecretFile bounds a file with a key.
	maxSecretFile = 4 << 10
)

// S3Options say how an S3-compatible store is reached.
type S3Options struct {
	// Endpoint is https://HOST:PORT, or http:// where it speaks no TLS; Region is what the store calls its region.
	Endpoint, Region string
	// AccessKeyFile and SecretKeyFile hold the two keys, each on one line.
	AccessKeyFile, SecretKeyFile string
	// Certificate is the certificate of the store or of its authority (PEM); "" for what this system trusts.
	Certificate string
}

// s3 keeps backups in a bucket: NAME/PIECE behind a prefix, with the manifest put last.
type s3 struct {
	client         *minio.Client
	at             string
	bucket, prefix string
}

func newS3(p Place) (*s3, error) {
	const op = "find the backups"
	rest := strings.TrimPrefix(p.At, s3Scheme)
	bucket, prefix, _ := strings.Cut(rest, "/")
	if bucket == "" {
		return nil, &halley.Error{Kind: halley.Invalid, Op: op, Field: "to", Message: "write s3://BUCKET/PREFIX"}
	}
	endpoint, err := url.Parse(p.S3.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" || strings.Trim(endpoint.Path, "/") != "" {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: op, Field: "backup.s3-endpoint", Message: "write where the S3 store is: https://HOST:PORT",
		}
	}
	access, err := readSecret(p.S3.AccessKeyFile, "backup.s3-access-key-file")
	if err != nil {
		return nil, err
	}
	secret, err := readSecret(p.S3.SecretKeyFile, "backup.s3-secret-key-file")
	if err != nil {
		return nil, err
	}
	transport, err := s3Transport(p.S3.Certificate)
	if err != nil {
		return nil, err
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds: credentials.NewStaticV4(access, secret, ""), Secure: endpoint.Scheme == "https", Transport: transport,
		// A region that is known need not be asked for, and a name in the path needs no DNS of the bucket's own.
		Region: p.S3.Region, BucketLookup: minio.BucketLookupPath, MaxRetries: 3,
	})
	if err != nil {
		return nil, &halley.Error{Kind: halley.Invalid, Op: op, Field: "backup.s3-endpoint", Message: "the S3 store cannot be used as it is configured", Err: err}
	}
	return &s3{client: client, at: p.At, bucket: bucket, prefix: strings.Trim(prefix, "/")}, nil
}

// s3Transport goes to the store directly, whatever proxy the environment names: nothing else is to be asked.
func s3Transport(certificate string) (*http.Transport, error) {
	t := &http.Transport{
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: s3Answer, IdleConnTimeout: time.Minute, MaxIdleConns: 4,
	}
	if certificate == "" {
		return t, nil
	}
	var err error
	if t.TLSClientConfig.RootCAs, err = namedfile.Authorities(certificate); err != nil {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: "find the backups", Field: "backup.s3-certificate",
			Message: "the file " + certificate + " holds no certificate (PEM) that can be read", Err: err,
		}
	}
	return t, nil
}

// readSecret reads the one line of a file.
func readSecret(file, field string) (string, error) {
	e := &halley.Error{Kind: halley.Invalid, Op: "find the backups", Field: field}
	if file == "" {
		e.Message = "name the file with the key for the S3 store"
		return "", e
	}
	text, err := namedfile.Read(file, maxSecretFile)
	if err != nil {
		e.Message, e.Err = "the file "+file+" cannot be read", err
		return "", e
	}
	return strings.TrimSpace(string(text)), nil
}

// String gives s3://BUCKET/PREFIX.
func (s *s3) String() string { return s.at }

func (s *s3) key(name, file string) string { return path.Join(s.prefix, name, file) }

// failed explains what the store answered.
func (s *s3) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", what, err)
	}
	e := &halley.Error{Kind: halley.Unavailable, Op: what, Code: CodeTarget, Err: err}
	switch answer := minio.ToErrorResponse(err); answer.Code {
	case minio.NoSuchBucket:
		e.Message = "the S3 store has no bucket " + s.bucket + ": make it, or name another"
	case minio.AccessDenied, "InvalidAccessKeyId", "SignatureDoesNotMatch":
		e.Message = "the S3 store refuses the key: see that it is right and may list, read, write and delete in the bucket " + s.bucket
	case "XMinioStorageFull", "QuotaExceeded", "InsufficientCapacity", "XMinioAdminBucketQuotaExceeded":
		e.Message = "there is no room left in " + s.at + ": free some space there, or name another place"
	default:
		e.Message = "the S3 store of " + s.at + " does not answer as it should: see that it runs and that [backup] s3-endpoint and s3-certificate are right"
	}
	return e
}

// Ready makes sure that the bucket is there.
func (s *s3) Ready(ctx context.Context) error {
	const what = "find the bucket of the backups"
	there, err := s.client.BucketExists(ctx, s.bucket)
	if err == nil && !there {
		return &halley.Error{
			Kind: halley.Unavailable, Op: what, Code: CodeTarget, Message: "the S3 store has no bucket " + s.bucket + ": make it, or name another",
		}
	}
	return s.failed(what, err)
}

// Put streams a piece.
func (s *s3) Put(ctx context.Context, name, piece string, estimate int64, write func(io.Writer) error) error {
	// A complete backup is never written over.
	if there, err := s.complete(ctx, name); err != nil || there {
		return errors.Join(err, nameTaken(there))
	}
	in, out := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(out)
		_ = out.CloseWithError(err) // nil is the end of the file
		written <- err
	}()
	part := max(leastPart, estimate/mostParts)
	_, err := s.client.PutObject(ctx, s.bucket, s.key(name, piece), in, -1, minio.PutObjectOptions{
		PartSize: uint64(part), NumThreads: 1, ContentType: "application/octet-stream",
	})
	_ = in.CloseWithError(errStopWriting) // lets the writer end where the store did not take everything
	if writeErr := <-written; writeErr != nil && !errors.Is(writeErr, errStopWriting) {
		return writeErr
	}
	return s.failed("write the backup", err)
}

// errStopWriting ends a piece that the store does not take.
var errStopWriting = errors.New("the S3 store takes nothing more")

// Complete puts the manifest.
func (s *s3) Complete(ctx context.Context, name string, manifest []byte) error {
	_, err := s.client.PutObject(ctx, s.bucket, s.key(name, manifestName), bytes.NewReader(manifest), int64(len(manifest)),
		minio.PutObjectOptions{ContentType: "application/json"})
	return s.failed("complete the backup", err)
}

// Discard removes the pieces of a backup without a manifest, and the parts of one that was broken off.
func (s *s3) Discard(ctx context.Context, name string) error {
	if there, err := s.complete(ctx, name); err != nil || there {
		return err
	}
	for _, piece := range pieceNames() {
		if err := s.client.RemoveIncompleteUpload(ctx, s.bucket, s.key(name, piece)); err != nil {
			return s.failed("remove an incomplete backup", err)
		}
	}
	return s.remove(ctx, "remove an incomplete backup", name, pieceNames())
}

func (s *s3) remove(ctx context.Context, what, name string, files []string) error {
	for _, f := range files {
		if err := s.client.RemoveObject(ctx, s.bucket, s.key(name, f), minio.RemoveObjectOptions{}); err != nil {
			return s.failed(what, err)
		}
	}
	return nil
}

// folders gives the names behind the prefix.
func (s *s3) folders(ctx context.Context) ([]string, error) {
	prefix := ""
	if s.prefix != "" {
		prefix = s.prefix + "/"
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop() // ends the listing where it is left early
	var names []string
	for o := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: prefix}) {
		if o.Err != nil {
			return nil, s.failed("list the backups", o.Err)
		}
		if name, isFolder := strings.CutSuffix(strings.TrimPrefix(o.Key, prefix), "/"); isFolder {
			if _, ok := parseName(name); ok {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// complete says whether a backup has its manifest.
func (s *s3) complete(ctx context.Context, name string) (bool, error) {
	_, err := s.client.StatObject(ctx, s.bucket, s.key(name, manifestName), minio.StatObjectOptions{})
	if code := minio.ToErrorResponse(err).Code; err != nil && (code == minio.NoSuchKey || code == "NotFound") {
		return false, nil
	}
	return err == nil, s.failed("list the backups", err)
}

func (s *s3) those(ctx context.Context, complete bool) ([]string, error) {
	all, err := s.folders(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range all {
		is, err := s.complete(ctx, name)
		if err != nil {
			return nil, err
		}
		if is == complete {
			names = append(names, name)
		}
	}
	return names, nil
}

// Incomplete lists what was begun and not completed.
func (s *s3) Incomplete(ctx context.Context) ([]string, error) {
	names, err := s.those(ctx, false)
	if err != nil {
		return nil, err
	}
	prefix := s.key("halley-", "")
	for u := range s.client.ListIncompleteUploads(ctx, s.bucket, prefix, true) {
		if u.Err != nil {
			return nil, s.failed("list the backups", u.Err)
		}
		name := path.Base(path.Dir(u.Key))
		if _, ok := parseName(name); ok && s.key(name, path.Base(u.Key)) == u.Key && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// List lists the complete backups.
func (s *s3) List(ctx context.Context) ([]string, error) { return s.those(ctx, true) }

// Manifest gives the text of a manifest.
func (s *s3) Manifest(ctx context.Context, name string) ([]byte, error) {
	o, err := s.client.GetObject(ctx, s.bucket, s.key(name, manifestName), minio.GetObjectOptions{})
	if err != nil {
		return nil, s.failed("read a backup", err)
	}
	text, err := io.ReadAll(io.LimitReader(o, maxManifestBytes))
	return text, s.failed("read a backup", errors.Join(err, o.Close()))
}

// Open opens a piece.
func (s *s3) Open(ctx context.Context, name, piece string) (io.ReadCloser, error) {
	o, err := s.client.GetObject(ctx, s.bucket, s.key(name, piece), minio.GetObjectOptions{})
	if err != nil {
		return nil, s.failed("read a backup", err)
	}
	if _, err := o.Stat(); err != nil {
		_ = o.Close() // nothing was read
		if code := minio.ToErrorResponse(err).Code; code == minio.NoSuchKey || code == "NotFound" {
			return nil, missingPiece(name, piece)
		}
		return nil, s.failed("read a backup", err)
	}
	return o, nil
}

// Remove removes a backup, its manifest first.
func (s *s3) Remove(ctx context.Context, name string, pieces []string) error {
	return s.remove(ctx, "remove an old backup", name, append([]string{manifestName}, pieces...))
}
