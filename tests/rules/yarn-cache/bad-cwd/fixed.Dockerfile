FROM node:22
RUN yarn --cwd web install && yarn cache clean
