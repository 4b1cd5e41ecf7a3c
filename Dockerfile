# One Dockerfile for every service:
#   docker build --build-arg SERVICE=chat -t bluewave/chat:dev .
# Stages: manifests -> (build | dependencies) -> assemble -> warm -> runtime, and `dev`, which runs the sources and starts them anew on a change.
ARG NODE_IMAGE=node:24-bookworm-slim

# The package manifests alone: as long as none changes, the installs below come from the cache.
FROM ${NODE_IMAGE} AS manifests
RUN --mount=type=bind,target=/context \
    mkdir /app && cd /context && cp package.json package-lock.json .npmrc /app/ && \
    find . -mindepth 2 -name package.json -exec cp --parents -t /app {} +

# What compiles: every dependency, shared by the five builds.
FROM ${NODE_IMAGE} AS toolchain
WORKDIR /app
COPY --from=manifests /app ./
RUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci --prefer-offline

FROM toolchain AS build
COPY tsconfig.base.json ./
COPY scripts/generate.mjs scripts/
COPY proto proto
COPY packages packages
COPY services services
ARG SERVICE
RUN node scripts/generate.mjs && npx tsc -b "services/${SERVICE:?say which service: --build-arg SERVICE=chat}"

# What runs: the production dependencies of this service and of the packages that it uses.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY --from=manifests /app ./
ARG SERVICE
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    npm ci --prefer-offline --omit=dev --workspace "@bluewave/${SERVICE:?say which service: --build-arg SERVICE=chat}"

# /out is the file tree of the image: the same layout as the repository, with only what this service loads.
FROM dependencies AS assemble
COPY scripts/deploy/assemble-image.mjs /tmp/
COPY --from=build /app/packages /built/packages
COPY --from=build /app/services /built/services
COPY proto /built/proto
ARG SERVICE
RUN node /tmp/assemble-image.mjs --service "${SERVICE}" --dependencies /app --built /built --out /out

# V8's code of all that a start loads: without it a start costs a third more CPU, and a new pod has its cores from those
# that serve. The process ends when everything is loaded, since it has no configuration. Older runtimes ignore it.
FROM ${NODE_IMAGE} AS warm
WORKDIR /app
COPY --from=assemble /out ./
RUN mkdir .compile-cache && chown 1000:1000 .compile-cache
USER 1000:1000
RUN NODE_COMPILE_CACHE=/app/.compile-cache node main.js || true

# Development only: the sources, run by Node's type stripping and started anew when one changes.
FROM ${NODE_IMAGE} AS dev
ARG SERVICE
WORKDIR /app
COPY --from=dependencies --chown=1000:1000 /app ./
COPY --chown=1000:1000 proto proto
COPY --from=build --chown=1000:1000 /app/packages packages
COPY --chown=1000:1000 services/${SERVICE} services/${SERVICE}
COPY --chown=1000:1000 scripts/deploy/watch-sources.mjs ./
# A sync brings every service's sources to every pod: only its own start it anew.
RUN ln -s "services/${SERVICE}" own && chown 1000:1000 /app
ENV NODE_ENV=development
USER 1000:1000
EXPOSE 8080 9090 50051
CMD ["node", "--conditions=bluewave-src", "watch-sources.mjs", "own/src/main.ts", "packages", "own"]

FROM ${NODE_IMAGE} AS runtime
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bluewave-${SERVICE}" \
      org.opencontainers.image.description="The ${SERVICE} service of Bluewave, self-hosted chat infrastructure" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="Bluewave"
WORKDIR /app
COPY --from=warm /app ./
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/.compile-cache
USER 1000:1000
EXPOSE 8080 9090 50051
CMD ["node", "main.js"]
