-- Halley: the role {{.Role}}. For the owner of the database, after the schema. Run again, it changes nothing.
{{- range .About}}
-- {{.}}
{{- end}}
USE {{name .Database}};
GO
{{.CreateRole}};
GO
{{range .Grants -}}
{{.}};
{{end -}}
GO
{{range .Extras -}}
{{.}};
GO
{{end -}}
{{if .Denials -}}
-- What the role is never to do, even where somebody gives it, or one of its members, more.
{{range .Denials -}}
{{.}};
{{end -}}
GO
{{end -}}
