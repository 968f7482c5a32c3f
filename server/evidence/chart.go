package evidence

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"halley"
)

// The measures of a chart, in its own units.
const (
	chartWidth, chartHeight         = 760, 210
	plotLeft, plotRight             = 64, 750
	plotTop, plotBottom             = 10, 172
	gapsTop, gapsHeight             = 176, 5
	labelBelow                      = 200
	chartsMost                      = 64
	gridLines                       = 4
	limitLabelAbove                 = 3
	limitLabelsMost                 = 8
	narrowestGap                    = 0.6
	plotW, plotH            float64 = plotRight - plotLeft, plotBottom - plotTop
)

// plot draws one stay.
type plot struct {
	e        *Evidence
	low, top float64
	svg      strings.Builder
}

// chart draws a stay's minimum to maximum and mean, its limits, and where messages of the place are missing.
func (e *Evidence) chart(i int) template.HTML {
	s, f := &e.stays[i], &e.figures[i]
	p := &plot{e: e}
	limits := e.limitsOf(s)
	p.scale(f, limits)
	title := html.EscapeString(fmt.Sprintf("%s %s, channel %d: %d values from %s to %s %s, mean %s", plain(e.deviceOf(s.Device).Serial),
		plain(s.channel.Quantity), s.channel.Number, f.total.count, short(f.total.min), short(f.total.max), plain(s.channel.Unit), short(f.total.mean())))
	fmt.Fprintf(&p.svg, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, chartWidth, chartHeight, title)
	p.grid()
	p.runs(f)
	for j, l := range limits {
		p.limit(l, j)
	}
	p.gaps()
	p.svg.WriteString("</svg>")
	return template.HTML(p.svg.String()) //nolint:gosec // made of numbers and escaped texts
}

// short gives a number for people.
func short(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }

// limitsOf gives the limits that count for a stay's quantity and unit.
func (e *Evidence) limitsOf(s *stay) []limit {
	var list []limit
	for _, l := range e.limits {
		if l.value != nil && l.quantity == s.channel.Quantity && l.unit == s.channel.Unit {
			list = append(list, l)
		}
	}
	return list
}

// scale chooses what the height stands for.
func (p *plot) scale(f *figures, limits []limit) {
	p.low, p.top = f.total.min, f.total.max
	for _, l := range limits {
		p.low, p.top = min(p.low, *l.value), max(p.top, *l.value)
	}
	if p.top-p.low < 1e-9*max(math.Abs(p.top), 1) {
		p.low, p.top = p.low-1, p.top+1
	}
	step := niceStep((p.top - p.low) / gridLines)
	p.low, p.top = math.Floor(p.low/step)*step, math.Ceil(p.top/step)*step
}

// niceStep gives the next of 1, 2, 5, 10, ... that is not below a step.
func niceStep(step float64) float64 {
	size := math.Pow(10, math.Floor(math.Log10(step)))
	for _, nice := range []float64{1, 2, 5} {
		if nice*size >= step {
			return nice * size
		}
	}
	return 10 * size
}

func (p *plot) x(at halley.Millis) float64 {
	r := &p.e.req
	share := float64(at-r.From) / float64(r.To-r.From)
	return plotLeft + min(max(share, 0), 1)*plotW
}

func (p *plot) y(v float64) float64 { return plotBottom - (v-p.low)/(p.top-p.low)*plotH }

// grid draws the lines behind the values, with their labels.
func (p *plot) grid() {
	step := niceStep((p.top - p.low) / gridLines)
	for n := 0; n <= 2*gridLines; n++ {
		v := p.low + float64(n)*step
		if v > p.top+step/2 {
			break
		}
		y := p.y(v)
		fmt.Fprintf(&p.svg, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`,
			plotLeft, plotRight, y, y, plotLeft-6, y+4, short(math.Round(v/step)*step))
	}
	r := &p.e.req
	const marks = 4
	for n := range marks + 1 {
		at := r.From + (r.To-r.From)*halley.Millis(n)/marks
		anchor := [...]string{"start", "middle", "middle", "middle", "end"}[n]
		layout := time.DateOnly
		if r.To-r.From < marks*2*halley.Day {
			layout = "01-02 15:04"
		}
		fmt.Fprintf(&p.svg, `<text x="%.1f" y="%d" text-anchor="%s">%s</text>`, p.x(at), labelBelow, anchor, at.Time().In(p.e.zone).Format(layout))
	}
}

// runs draws the points, broken where there are none.
func (p *plot) runs(f *figures) {
	for begin := 0; begin < len(f.points); {
		end := begin + 1
		for end < len(f.points) && f.points[end].from-f.points[end-1].from <= f.width {
			end++
		}
		p.run(f.points[begin:end], f.width)
		begin = end
	}
}

// run draws points that follow each other: a band from minimum to maximum, and the mean.
func (p *plot) run(points sums, width halley.Millis) {
	var above, below, mean strings.Builder
	for i := range points {
		at, other := &points[i], &points[len(points)-1-i]
		fmt.Fprintf(&above, "%.1f,%.1f ", p.middle(at, width), p.y(at.max))
		fmt.Fprintf(&below, "%.1f,%.1f ", p.middle(other, width), p.y(other.min))
		fmt.Fprintf(&mean, "%.1f,%.1f ", p.middle(at, width), p.y(at.mean()))
	}
	if len(points) == 1 {
		x := p.middle(&points[0], width)
		fmt.Fprintf(&p.svg, `<line class="band1" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><circle class="mean1" cx="%.1f" cy="%.1f" r="1"/>`,
			x, x, p.y(points[0].min), p.y(points[0].max), x, p.y(points[0].mean()))
		return
	}
	fmt.Fprintf(&p.svg, `<polygon class="band" points="%s%s"/><polyline class="mean" points="%s"/>`, above.String(), below.String(), mean.String())
}

func (p *plot) middle(s *sum, width halley.Millis) float64 { return p.x(s.from + width/2) }

// limit draws a limit from when it was set until the next of its kind.
func (p *plot) limit(l limit, n int) {
	from, to := max(l.from, p.e.req.From), p.e.req.To
	for _, o := range p.e.limits {
		if o.kind() == l.kind() && o.from > l.from {
			to = min(to, o.from)
		}
	}
	y := p.y(*l.value)
	fmt.Fprintf(&p.svg, `<line class="limit" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, p.x(from), p.x(to), y, y)
	if n < limitLabelsMost {
		fmt.Fprintf(&p.svg, `<text class="limit" x="%.1f" y="%.1f">%s %s %s</text>`, p.x(from)+3, y-limitLabelAbove,
			html.EscapeString(plain(l.rank)), html.EscapeString(plain(l.side)), short(*l.value))
	}
}

// gaps draws where messages of the place are missing.
func (p *plot) gaps() {
	fmt.Fprintf(&p.svg, `<rect class="there" x="%d" y="%d" width="%.1f" height="%d"/>`, plotLeft, gapsTop, plotW, gapsHeight)
	for i := range p.e.complete.Gaps {
		g := &p.e.complete.Gaps[i]
		x := p.x(g.From)
		fmt.Fprintf(&p.svg, `<rect class="gap" x="%.1f" y="%d" width="%.1f" height="%d"/>`, x, gapsTop, max(p.x(g.To)-x, narrowestGap), gapsHeight)
	}
}
