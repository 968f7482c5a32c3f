package ledger

import "strings"

// HeadColumns gives the names of the columns of a row's head in the table message, in their order.
func HeadColumns() []string {
	return strings.Fields("seq idx decoder clock sent_at received_at order_no kind raw_kind cache interval buffer config state " +
		"state_mask signal battery")
}
