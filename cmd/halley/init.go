package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"

	"halley/config"
)

func initCommand() *command {
	return &command{
		name:    "init",
		summary: "prepare the data folder and the store, without starting the server",
		about: "Makes the data folder for this account alone and brings the store to the schema of this version. What is there\n" +
			"already stays. halley serve does the same; this command is for preparing it beforehand.",
		example: "halley init --data /var/lib/halley --write-config /etc/halley/halley.toml",
		prepare: prepareInit,
	}
}

func prepareInit(flags *flag.FlagSet) action {
	st := addSettings(flags, []string{"data", "store"})
	write := flags.String("write-config", "", "also write a documented configuration to `FILE`, unless it is there")
	return func(ctx context.Context, io streams, _ []string) error {
		return withStore(ctx, st, io, func(o opened) error {
			info, err := o.store.Info(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintf(io.out, "data folder: %s\nstore: %s, schema %d\n", o.data.Path(), info.Kind, info.Schema)
			if *write == "" {
				return nil
			}
			made, err := writeNew(*write, config.Documented(), 0o640)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(io.out, "configuration: %s, %s\n", *write, map[bool]string{true: "written", false: "was there"}[made])
			return err
		})
	}
}

// writeNew writes a file that is not there yet, and says whether it did.
func writeNew(name, text string, mode fs.FileMode) (made bool, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.WriteString(text)
	return true, errors.Join(err, f.Close())
}
