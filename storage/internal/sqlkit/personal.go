package sqlkit

import (
	"context"

	"halley/storage"
)

// Personal gives what is kept of people besides the facts.
func (s *Store) Personal(ctx context.Context) (storage.Personal, error) {
	details, err := s.PersonDetails(ctx)
	if err != nil {
		return storage.Personal{}, err
	}
	p := storage.Personal{Details: details, Secrets: []storage.Secret{}}
	err = s.query(ctx, func(scan func(...any) error) error {
		x, err := secretScan(scan)
		p.Secrets = append(p.Secrets, x)
		return err
	}, selectSecrets+" ORDER BY kind, secret_key")
	return p, s.fail("list secrets", err)
}

// ReplacePersonal puts what is kept of people in the place of all that is there.
func (s *Store) ReplacePersonal(ctx context.Context, p storage.Personal) error {
	return s.write(ctx, "move people", func(ctx context.Context, c *change) error {
		c.forgets = true
		if err := c.erase(ctx); err != nil {
			return err
		}
		for _, text := range []string{"DELETE FROM person_detail", "DELETE FROM person_secret"} {
			if err := c.exec(ctx, text); err != nil {
				return err
			}
		}
		for i := range p.Details {
			if err := c.putDetail(ctx, &p.Details[i]); err != nil {
				return err
			}
		}
		for _, x := range p.Secrets {
			if err := c.putSecret(ctx, x, false); err != nil {
				return err
			}
		}
		return c.bumpRegistry(ctx)
	})
}
