// Holds resources of controllers against the schemas that their makers publish: documents on stdin, as JSON; complaints on stdout.
import { readFileSync } from "node:fs";

const packages = {
  "argoproj.io/v1alpha1": ["@kubernetes-models/argo-cd", "@kubernetes-models/argo-rollouts"],
  "external-secrets.io/v1": ["@kubernetes-models/external-secrets"],
  "gateway.networking.k8s.io/v1": ["@kubernetes-models/gateway-api"],
};

const complaints = [];
for (const document of JSON.parse(readFileSync(0, "utf8"))) {
  const name = `${document.kind} ${document.metadata.name}`;
  let known = false;
  for (const each of packages[document.apiVersion] ?? []) {
    const models = await import(`${each}/${document.apiVersion}`);
    const Model = models[document.kind];
    if (!Model) continue;
    known = true;
    try {
      new Model(document).validate();
    } catch (error) {
      complaints.push(`${name}: ${error.message}`);
    }
  }
  if (!known) complaints.push(`${name}: no schema of ${document.apiVersion}`);
}
console.log(JSON.stringify(complaints));
