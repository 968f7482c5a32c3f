package sqlkit

import (
	"context"
	"errors"
	"fmt"
)

// erase has the bytes of what the change removes from now on written over, as far as the engine can: personal data and what people
// prove themselves by are not to be found in the files of the database afterwards.
func (c *change) erase(ctx context.Context) error {
	if c.erasing || c.s.dialect.Erase == nil {
		return nil
	}
	if err := c.s.dialect.Erase(ctx, c.conn, true); err != nil {
		return fmt.Errorf("having what is removed written over: %w", err)
	}
	c.erasing = true
	return nil
}

// endErasing ends that, behind the transaction. The change stands or fell already, so that a failure is no failure of it.
func (c *change) endErasing(ctx context.Context) {
	if !c.erasing {
		return
	}
	err := c.s.dialect.Erase(ctx, c.conn, false)
	if c.forgets && c.s.dialect.Forget != nil {
		err = errors.Join(err, c.s.dialect.Forget(ctx, c.conn))
	}
	if err != nil {
		c.s.log.Warn("what was erased may lie in the log of the database until it is written over", "err", err)
	}
}
