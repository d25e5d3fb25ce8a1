FROM debian:12.5
RUN yarn cache clean && yarn install && yarn cache clean
