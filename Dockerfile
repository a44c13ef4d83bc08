# The suite from its own tarballs, for a user without rights:
#   docker build -t dispatchbench . && docker run --rm -v "$PWD/results:/home/node/results" dispatchbench run quick
FROM node:22-bookworm AS packed
WORKDIR /suite
COPY . .
RUN mkdir /tarballs \
  && npm pack --pack-destination /tarballs \
  && npm pack --pack-destination /tarballs "./$(npm run --silent build:platform)"

FROM node:22-bookworm-slim
COPY --from=packed /tarballs /tarballs
RUN npm install --global --no-audit --no-fund /tarballs/*.tgz && rm -r /tarballs
USER node
WORKDIR /home/node
ENTRYPOINT ["dispatchbench"]
CMD ["--help"]
