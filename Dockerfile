# syntax=docker/dockerfile:1
# Tags without digests: the registry could not be asked for them (docs/running.md says how to add them).
# Three stages: the production dependencies, the bundle, and an image of only these two. No package is compiled, because
# libsql and argon2 come with binaries for musl.

FROM node:26.10.0-alpine AS dependencies
WORKDIR /parley
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:26.10.0-alpine AS build
WORKDIR /parley
COPY package.json package-lock.json .npmrc ./
# esbuild's binary is an optional dependency, so no script has to run for it.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM node:26.10.0-alpine
ENV NODE_ENV=production \
    NODE_OPTIONS="--enable-source-maps --v8-pool-size=1 --max-semi-space-size=32" \
    PARLEY_HOST=0.0.0.0 \
    PARLEY_PORT=7480 \
    PARLEY_DATA=/data
WORKDIR /parley
COPY --from=dependencies /parley/node_modules ./node_modules
COPY --from=build /parley/dist ./dist
COPY --from=build /parley/package.json ./
# The embedded profile's folder. A volume mounted there takes over its owner.
RUN mkdir /data && chown node:node /data
# The first start keeps what V8 compiled after 10 s, beside the bundle, where the server's user may not write.
RUN PARLEY_DATA=/tmp/first timeout 30 node dist/parley.js serve; rm -r /tmp/first
USER node
EXPOSE 7480
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD wget -q -O /dev/null http://127.0.0.1:7480/health || exit 1
ENTRYPOINT ["node", "dist/parley.js"]
CMD ["serve"]
