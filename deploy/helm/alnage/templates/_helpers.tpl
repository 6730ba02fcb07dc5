{{- define "alnage.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}

{{- define "alnage.labels" -}}
app.kubernetes.io/name: alnage
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "alnage.selector" -}}
app.kubernetes.io/name: alnage
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "alnage.url" -}}
{{- if .Values.registry.url -}}
{{ .Values.registry.url }}
{{- else -}}
http://{{ .Release.Name }}-registry.{{ .Release.Namespace }}.svc:8080
{{- end -}}
{{- end }}

{{- define "alnage.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "alnage.clientConfig" -}}
service:
  name: {{ .Release.Name }}-webhook
  namespace: {{ .Release.Namespace }}
  port: 443
{{- end }}

{{- define "alnage.rules" -}}
- apiGroups: [""]
  apiVersions: [v1]
  operations: [CREATE, UPDATE]
  resources: [pods, pods/ephemeralcontainers, replicationcontrollers, podtemplates]
  scope: Namespaced
- apiGroups: [apps]
  apiVersions: [v1]
  operations: [CREATE, UPDATE]
  resources: [deployments, statefulsets, daemonsets, replicasets]
  scope: Namespaced
- apiGroups: [batch]
  apiVersions: [v1]
  operations: [CREATE, UPDATE]
  resources: [jobs, cronjobs]
  scope: Namespaced
- apiGroups: [serving.kserve.io, ray.io, leaderworkerset.x-k8s.io, jobset.x-k8s.io, kaito.sh, llm-d.ai, apps.nvidia.com, kubeai.org, model.aibrix.ai, nvidia.com, production-stack.vllm.ai, trainer.kubeflow.org, kubeflow.org, machinelearning.seldon.io, mlops.seldon.io, serving.knative.dev, ollama.ayaka.io, inference.llmaz.io, llmaz.io, argoproj.io]
  apiVersions: ["*"]
  operations: [CREATE, UPDATE]
  resources: ["*"]
  scope: "*"
{{- end }}

{{- define "alnage.namespaces" -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{ concat (list "kube-system" .Release.Namespace) .Values.webhook.exemptNamespaces | toJson }}
{{- end }}
