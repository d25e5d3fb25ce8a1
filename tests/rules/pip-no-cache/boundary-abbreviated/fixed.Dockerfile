FROM python:3.12
RUN pip install --no-cache flask==3.0.3
RUN pip --no-color install --no-cache-dir flask==3.0.3
