docker run --rm \
  --volume "$PWD:/src" \ # the source (all of it)
  owasp/dependency-check:latest \
  --scan /src --failOnCVSS 7
