FROM node:22.1
RUN yarn install --frozen-lockfile && rm -rf /tmp/x && yarn cache clean
RUN yarn cache clean
