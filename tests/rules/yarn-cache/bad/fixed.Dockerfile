FROM node:22.1
RUN yarn install && yarn cache clean
