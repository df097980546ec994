package slackdraw

import "html/template"

// layout is a page of messages. Its height, once drawn, stands in the attribute data-height.
var layout = template.Must(template.New("page").Parse(`<!doctype html>
<html><head><meta charset="utf-8"><style>
* { box-sizing: border-box; margin: 0; padding: 0 }
body { width: {{.Width}}px; padding: 12px 12px 14px; background: #fff; color: #1d1c1d; font: 15px/1.42 Lato, "Noto Color Emoji", sans-serif; overflow-wrap: anywhere }
.message { display: grid; grid-template-columns: 36px 1fr; gap: 0 10px; padding: 6px 0 }
.avatar { width: 36px; height: 36px; border-radius: 8px; background: #1f2937; color: #fff; text-align: center; font: 20px/36px Lato, "Noto Color Emoji" }
.name { font-weight: 900 } .app { background: #e8e8e8; color: #616061; font-size: 10px; font-weight: 700; border-radius: 3px; padding: 1px 3px; margin: 0 4px }
.time, .context, .of { color: #616061; font-size: 12.5px } .of { margin: 1px 0 2px }
.attached { border-left: 4px solid; border-radius: 4px; padding: 2px 0 2px 10px; margin: 5px 0 2px }
.attached > * + * { margin-top: 4px }
pre { background: #f6f6f6; border: 1px solid #dedede; border-radius: 4px; padding: 6px 8px; font: 12px/1.45 "DejaVu Sans Mono", monospace; white-space: pre-wrap; margin: 3px 0 }
code { background: #f6f6f6; border: 1px solid #dedede; border-radius: 3px; color: #c01343; padding: 1px 3px; font: 12px "DejaVu Sans Mono", monospace }
.mention { background: #f2c74466; color: #1264a3; border-radius: 3px; padding: 0 2px } a { color: #1264a3 } i { color: #616061 }
ul { padding-left: 20px } .unknown { color: #f00 } .body > div, .attached > div { white-space: pre-wrap }
.thread { border-left: 2px solid #dddddd; margin: 2px 0 6px 17px; padding-left: 10px } .thread .avatar { width: 24px; height: 24px; border-radius: 6px; font-size: 13px; line-height: 24px }
.thread .message { grid-template-columns: 24px 1fr; font-size: 14px }
</style></head><body>
{{- define "message"}}<div class="message"><div class="avatar">🔔</div><div>
<div><span class="name">Bellbuoy</span><span class="app">APP</span><span class="time">{{.At}}</span></div>
{{if .Of}}<div class="of">replied to a thread: {{.Of}}</div>{{end}}
<div class="body">{{range .Body}}{{.}}{{end}}</div>
{{range .Attached}}<div class="attached" style="border-color:{{.Color}}">{{range .Body}}{{.}}{{end}}</div>{{end}}
</div></div>
{{if .Replies}}<div class="thread">{{range .Replies}}{{template "message" .}}{{end}}</div>{{end}}{{end}}
{{- range .Messages}}{{template "message" .}}{{end}}
<script>document.documentElement.dataset.height = Math.ceil(document.body.getBoundingClientRect().height)</script>
</body></html>
`))
