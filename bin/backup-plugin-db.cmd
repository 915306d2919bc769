@echo off
rem Starts the program that belongs to this plugin, on Windows: the one built here, else an installed one.
setlocal
set "name=backup-plugin-db.exe"
set "program=%~dp0..\build\windows-msvc\%name%"
if exist "%program%" goto run
set "program=%~dp0..\programs\windows-x64\%name%"
if exist "%program%" goto run
set "program=%~dp0%name%"
if exist "%program%" goto run
set "program=%LOCALAPPDATA%\Programs\backup-plugin-db\%name%"
if exist "%program%" goto run
set "program=%LOCALAPPDATA%\backup-plugin-db\data\bin\%name%"
if exist "%program%" goto run
echo backup-plugin-db.exe is not there. Put it beside %~f0, or build it: docs\CHECKLIST.md says how. 1>&2
exit /b 127
:run
"%program%" %*
exit /b %ERRORLEVEL%
