FROM python:3.12
RUN pip install --no-cache-dir --upgrade pip==24 && \
    python3 -m pip install --no-cache-dir -r requirements.txt
RUN pip3 install --no-cache-dir x==1 && rm -rf /root/.cache
