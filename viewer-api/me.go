package viewerapi

import (
	"net/http"
	"time"

	"halley"
	"halley/server/access"
	"halley/server/directory"
)

// meView is who asks.
type meView struct {
	Name           string              `json:"name"`
	Kind           access.CallerKind   `json:"kind"`
	PersonID       *halley.PersonID    `json:"person_id"`
	FullName       string              `json:"full_name"`
	Email          string              `json:"email"`
	Role           halley.Role         `json:"role"`
	Roles          []roleHeldView      `json:"roles"`
	Permissions    []halley.Permission `json:"permissions"`
	SignOutMinutes int                 `json:"sign_out_minutes"`
	SignOutChoices []int               `json:"sign_out_choices"`
	ExpiresAt      Time                `json:"expires_at"`
	Must           string              `json:"must"`
	Confirm        bool                `json:"confirm"`
	ConfirmedUntil Time                `json:"confirmed_until"`
	SecondFactor   secondFactorView    `json:"second_factor"`
	Shared         bool                `json:"shared"`
	Source         halley.SignInSource `json:"source"`
	ShowAs         *showAsView         `json:"show_as"`
}

// roleHeldView is a role where it is held.
type roleHeldView struct {
	Role           halley.Role           `json:"role"`
	OrganizationID halley.OrganizationID `json:"organization_id"`
	Organization   string                `json:"organization"`
	PlaceID        *halley.PlaceID       `json:"place_id"`
	Place          *string               `json:"place"`
}

// secondFactorView is what is set up besides the password.
type secondFactorView struct {
	TOTP          bool `json:"totp"`
	Passkeys      int  `json:"passkeys"`
	RecoveryCodes int  `json:"recovery_codes"`
	Required      bool `json:"required"`
}

// showAsView is the person as whom things are shown.
type showAsView struct {
	PersonID halley.PersonID `json:"person_id"`
	Name     string          `json:"name"`
}

// getMe says who asks and what they may do.
func (a *API) getMe(w http.ResponseWriter, r *http.Request) error {
	caller, _ := access.CallerFrom(r.Context())
	me, err := a.me(r, caller)
	if err != nil {
		return err
	}
	return writeJSON(w, me)
}

// me describes a caller.
func (a *API) me(r *http.Request, caller access.Caller) (meView, error) {
	state := a.Directory.Directory()
	me := meView{
		Name: caller.Name, Kind: caller.Kind, FullName: caller.FullName, Role: caller.Role, Must: caller.Must, Shared: caller.Shared,
		Roles: rolesHeld(state, caller), Permissions: caller.Rights.Permissions(), ExpiresAt: Time(caller.ExpiresAt),
		SignOutMinutes: a.Access.SignOutMinutes(caller.PersonID), SignOutChoices: a.Access.SignOutChoices(), Source: halley.Local,
		Confirm: a.ConfirmCritical && caller.Kind == access.BySession,
	}
	if caller.ConfirmedUntil > halley.MillisOf(time.Now()) {
		me.ConfirmedUntil = Time(caller.ConfirmedUntil)
	}
	if caller.ShowAs != 0 {
		other, _ := state.Person(caller.ShowAs)
		me.ShowAs = &showAsView{PersonID: caller.ShowAs, Name: other.Name}
	}
	person, ok := state.Person(caller.PersonID)
	if !ok {
		return me, nil
	}
	factors, err := a.Access.FactorsOf(r.Context(), person.ID)
	if err != nil {
		return meView{}, err
	}
	me.PersonID, me.Source, me.Email = &person.ID, person.Source, state.Detail(person.ID).Email
	me.SecondFactor = secondFactorView{
		TOTP: factors.TOTP, Passkeys: factors.Passkeys, RecoveryCodes: factors.RecoveryCodes,
		Required: a.Access.NeedsSecondFactor(person.ID),
	}
	return me, nil
}

// rolesHeld lists the caller's own roles and where they are held.
func rolesHeld(state *directory.State, caller access.Caller) []roleHeldView {
	grants := caller.Rights.Grants()
	if caller.PersonID != 0 {
		grants = state.Grants(caller.PersonID)
	}
	list := make([]roleHeldView, 0, len(grants))
	for _, g := range grants {
		v := roleHeldView{Role: g.Role, OrganizationID: g.OrganizationID, Organization: state.Path(g.OrganizationID)}
		if g.PlaceID != 0 {
			place, _ := state.Place(g.PlaceID)
			v.PlaceID, v.Place = &g.PlaceID, &place.Name
		}
		list = append(list, v)
	}
	return list
}

// meRequest is the body of a change of the caller's own account; what is left out stays.
type meRequest struct {
	FullName       *string `json:"full_name"`
	Email          *string `json:"email"`
	SignOutMinutes *int    `json:"sign_out_minutes"`
}

// changeMe changes the caller's own account. 403 for a program and for a shared account.
func (a *API) changeMe(w http.ResponseWriter, r *http.Request) error {
	var in meRequest
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	caller, _ := access.CallerFrom(r.Context())
	err := a.Access.ChangeSelf(r.Context(), caller, access.Self{
		FullName: in.FullName, Email: in.Email, SignOutMinutes: in.SignOutMinutes,
	})
	if err != nil {
		return err
	}
	if person, ok := a.Directory.Directory().Person(caller.PersonID); ok {
		caller.FullName = a.Directory.Directory().Detail(person.ID).FullName
	}
	me, err := a.me(r, caller)
	if err != nil {
		return err
	}
	return writeJSON(w, me)
}
