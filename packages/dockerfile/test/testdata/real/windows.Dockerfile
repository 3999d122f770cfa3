# escape=`
FROM mcr.example.com/windows/servercore:ltsc2022
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop';"]
ENV TOOLS C:\tools
RUN Invoke-WebRequest -Uri https://example.com/x.zip -OutFile C:\x.zip; `
    Expand-Archive C:\x.zip -DestinationPath $env:TOOLS; `
    Remove-Item C:\x.zip
WORKDIR C:\\app
COPY bin\Release\ .\
ENTRYPOINT ["C:\\app\\server.exe"]
